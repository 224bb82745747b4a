// Is the right story told from the events of all nodes: what it was, why, what was lost, what is still to do?
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  CLUSTER,
  crashHandOver,
  gameDay,
  hangsAfterFullDisk,
  hostDies,
  partsOf,
  type Said,
  storeAway,
  switchover,
} from "../../test/support/incident-stories.ts";
import { assembleIncidents } from "./assemble.ts";
import { type Incident, isOnPurpose } from "./incident.ts";
import { markdownOf } from "./told.ts";

const tell = (said: readonly Said[], missing: readonly string[] = []): readonly Incident[] =>
  assembleIncidents(
    partsOf(said).filter(({ node }) => !missing.includes(node)),
    { ...CLUSTER, missing },
  );

function only(incidents: readonly Incident[]): Incident {
  expect(incidents).toHaveLength(1);
  const [first] = incidents;
  if (first === undefined) throw new Error("there is none");
  return first;
}

describe("a game day", () => {
  it("is a failover that somebody wanted: no alarm, and the planned part of the budget", () => {
    const incident = only(tell(gameDay));
    expect(incident).toMatchObject({ kind: "failover", from: "n1", to: "n2" });
    expect(incident.title).toContain("(game day)");
    expect(incident.cause).toMatchObject({ code: "game_day", confidence: "certain" });
    expect(incident.cause.evidence.join("\n")).toContain("G-20261127-120000 of ann");
    expect(isOnPurpose(incident)).toBe(true);
  });

  it("explains no death that comes much later", () => {
    const late = gameDay.map((e) => (e.kind === "game-day" ? { ...e, at: -8_000 } : e));
    expect(only(tell(late)).cause.code).toBe("postmaster_killed");
  });
});

describe("clients", () => {
  it("have a lane of their own, where somebody measures what they meet", () => {
    const met: readonly Said[] = [
      { at: 40, node: "r1", kind: "clients", path: "pooled", why: "the server went away" },
      { at: 900, node: "r1", kind: "clients", path: "pooled", forMs: 860 },
    ];
    const { lines } = only(tell([...crashHandOver, ...met].toSorted((a, b) => a.at - b.at)));
    expect(lines.flatMap(({ lane, text }) => (lane === "clients" ? [text] : []))).toEqual([
      "writes over pooled are not taken: the server went away",
      "writes over pooled are taken again, after 0.9 s",
    ]);
  });

  it("make no incident by themselves", () => {
    expect(tell([{ at: 0, node: "r1", kind: "clients", path: "pooled" }])).toEqual([]);
  });
});

describe("a backend that crashed", () => {
  const reset = (oomKills: number): readonly Said[] => [
    ...crashHandOver.filter(({ at }) => at < 0),
    { at: 0, node: "n1", kind: "decision", because: "lead_server_reset", term: 4 },
    {
      at: 20,
      node: "n1",
      kind: "evidence",
      oomKills,
      logLines: ["LOG:  server process was terminated by signal 9"],
    },
    { at: 900, node: "n1", kind: "decision", because: "leading", term: 4 },
  ];

  it("is named with what the host says of it", () => {
    expect(only(tell(reset(0))).cause).toMatchObject({ code: "backend_crashed" });
    expect(only(tell(reset(1))).cause).toMatchObject({ code: "out_of_memory" });
    expect(only(tell(reset(1))).cause.evidence.join("\n")).toContain("for want of memory");
  });
});

describe("a killed postmaster", () => {
  const incident = () => only(tell(crashHandOver));

  it("is a failover with its signal as the cause, seen by its parent", () => {
    expect(incident()).toMatchObject({ kind: "failover", from: "n1", to: "n2", term: 37 });
    expect(incident().cause).toMatchObject({ code: "postmaster_killed", confidence: "certain" });
    expect(incident().cause.evidence.join("\n")).toContain("SIGKILL");
    expect(incident().cause.evidence.join("\n")).toContain("unexpected postmaster exit");
  });

  it("has phases that follow one another, to the millisecond", () => {
    const { phases, startedAt, writableAt } = incident();
    expect(phases.map(({ name, from, to }) => [name, from - startedAt, (to ?? 0) - from])).toEqual([
      ["detect", 0, 80],
      ["fence", 80, 170],
      ["elect", 250, 250],
      ["promote", 500, 480],
      ["route", 980, 140],
      ["catch up", 980, 2_220],
    ]);
    expect((writableAt ?? 0) - startedAt).toBe(980);
  });

  it("lost nothing, since the end of the dead server's WAL was read from its disk", () => {
    expect(incident().loss).toMatchObject({ bytes: 0, isExact: true, acknowledged: "no" });
  });

  it("shows the whole checklist as done, and nothing left to do", () => {
    expect(incident().checklist.map(({ state }) => state)).toEqual(Array(7).fill("done"));
    expect(incident().followUps).toEqual([]);
  });

  it("is the kernel's deed when it killed for want of memory, and a full disk's when there is no room", () => {
    const withEvidence = (change: object): readonly Said[] =>
      crashHandOver.map((s) => (s.kind === "evidence" ? { ...s, ...change } : s));
    expect(only(tell(withEvidence({ oomKills: 1 }))).cause.code).toBe("out_of_memory");
    expect(only(tell(withEvidence({ diskFreeBytes: 4096 }))).cause.code).toBe("disk_full");
  });

  it("is not because of what had been over when it began", () => {
    const { cause } = only(tell(hangsAfterFullDisk));
    expect(cause.code).toBe("server_hung");
    expect(cause.evidence.join()).not.toContain("bytes");
  });

  it("is told by the others as well when the host that saw it is gone since", () => {
    const without = only(tell(crashHandOver, ["n1"]));
    expect(without).toMatchObject({ kind: "failover", from: "n1", to: "n2" });
    expect(without.caveats.join()).toContain("n1 does not answer");
    expect(without.followUps.join()).toContain("n1 has not told its part");
    expect(without.loss).toMatchObject({ acknowledged: "possible" });
  });
});

describe("a dead host", () => {
  it("is found by its silence, from its last sign of life on", () => {
    const incident = only(tell(hostDies, ["n2"]));
    expect(incident).toMatchObject({ kind: "failover", from: "n2", to: "n3" });
    expect(incident.cause).toMatchObject({ code: "host_lost", confidence: "likely" });
    expect((incident.writableAt ?? 0) - incident.startedAt).toBe(9_100);
    const open = incident.checklist.filter(({ state }) => state === "open").map(({ what }) => what);
    expect(open).toEqual([
      "the other standbys stream from it",
      "two primaries at once: watched for",
    ]);
  });

  it("tells by its boot id whether it was the host or only what ran on it", () => {
    const back = (life: "same boot" | "another boot"): readonly Said[] => [
      ...hostDies,
      { at: 14_000, node: "n2", kind: "agent-started", version: "1", bootId: "b", life },
      { at: 14_300, node: "n2", kind: "server", look: "down" },
    ];
    expect(only(tell(back("another boot"))).cause.code).toBe("host_rebooted");
    const killed = only(tell(back("same boot")));
    expect(killed.cause.code).toBe("processes_killed");
    expect(killed.checklist.at(-2)).toMatchObject({ state: "done" });
  });

  it("is not taken for two primaries when its next server, a standby, ends later", () => {
    const incident = only(
      tell([
        ...hostDies,
        {
          at: 14_000,
          node: "n2",
          kind: "agent-started",
          version: "1",
          bootId: "b",
          life: "same boot",
        },
        { at: 14_300, node: "n2", kind: "server", look: "down" },
        { at: 16_000, node: "n2", kind: "server", look: "standby" },
        { at: 60_000, node: "n2", kind: "server-exit", pid: 5, code: 0 },
      ]),
    );
    const [dead] = incident.checklist;
    expect(dead?.how).toContain("it had not renewed its lease");
    expect(incident.checklist.at(-2)).toMatchObject({ state: "done" });
  });

  it("may have lost acknowledged writes where replication was asynchronous, and none where it was not", () => {
    const behind = hostDies.map((s) =>
      s.kind === "leader" && s.name === undefined ? { ...s, end: "0/41DE0C0" } : s,
    );
    expect(only(tell(behind)).loss).toMatchObject({ bytes: 256, acknowledged: "possible" });
    const sync = behind.map((s) => (s.kind === "elected" ? { ...s, sync: "quorum" } : s));
    expect(only(tell(sync)).loss).toMatchObject({ bytes: 256, acknowledged: "no" });
  });
});

describe("an outage of the store", () => {
  it("is the store's when nobody can read it, and the network's when others can", () => {
    const all = only(tell(storeAway(["n1", "n2", "n3"])));
    expect(all).toMatchObject({ kind: "store-outage", to: undefined });
    expect(all.cause.code).toBe("store_down");
    expect(only(tell(storeAway(["n1"]))).cause.code).toBe("cut_off_from_store");
  });

  it("that only a standby had is no incident of the cluster's leader", () => {
    expect(only(tell(storeAway(["n3"])))).toMatchObject({ kind: "store-outage" });
  });
});

describe("a switchover", () => {
  it("is planned, told in the same form, and is not taken for a failover", () => {
    const incident = only(tell(switchover));
    expect(incident).toMatchObject({ kind: "switchover", from: "n1", to: "n2" });
    expect(incident.cause.code).toBe("planned");
    expect(incident.loss).toMatchObject({ bytes: 0, acknowledged: "no" });
  });
});

describe("several troubles", () => {
  it("are told apart when the new leader is the next to fail, however soon", () => {
    const incidents = tell([
      ...crashHandOver,
      ...hostDies.filter(({ at }) => at > 0).map((s) => ({ ...s, at: s.at + 3_000 })),
    ]);
    expect(incidents.map(({ from, to }) => [from, to])).toEqual([
      ["n1", "n2"],
      ["n2", "n3"],
    ]);
  });

  it("are told apart when a leader came back in place and is lost soon after", () => {
    const restarted: readonly Said[] = [
      { at: -30_000, node: "n2", kind: "server-exit", pid: 1, signal: "SIGKILL" },
      { at: -29_900, node: "n2", kind: "crash-end", position: "0/1000000" },
      { at: -29_800, node: "n2", kind: "decision", because: "crash_restarting" },
      { at: -27_000, node: "n2", kind: "server", look: "primary", position: "0/1000100" },
      { at: -27_000, node: "n2", kind: "decision", because: "leading", term: 40 },
    ];
    const led: Said = { at: -60_000, node: "n2", kind: "leader", name: "n2", term: 40 };
    const incidents = tell([led, ...restarted, ...hostDies.filter(({ at }) => at > 0)]);
    expect(incidents.map(({ kind, cause }) => [kind, cause.code])).toEqual([
      ["crash", "postmaster_killed"],
      ["failover", "host_lost"],
    ]);
    expect(incidents[1]?.loss).toMatchObject({ isExact: false });
  });

  it("are told apart when a short one came before, and only the next costs the leader its lease", () => {
    const alone = (at: number): readonly Said[] => [
      { at, node: "n1", kind: "store", readable: false, why: "no endpoint answers" },
      { at: at + 3_000, node: "n1", kind: "decision", because: "isolated_gate_closed", term: 4 },
    ];
    const first: Said = { at: -60_000, node: "n1", kind: "leader", name: "n1", term: 4 };
    const back: readonly Said[] = [
      { at: -16_000, node: "n1", kind: "store", readable: true },
      { at: -16_000, node: "n1", kind: "decision", because: "leading", term: 4 },
    ];
    const lost: readonly Said[] = [
      { at: 8_300, node: "n2", kind: "leader", before: "n1", end: "0/5000000", stillMs: 8_300 },
      { at: 8_600, node: "n2", kind: "elected", term: 9, sync: "off" },
      { at: 9_000, node: "n2", kind: "server", look: "primary" },
      { at: 9_000, node: "n2", kind: "decision", because: "leading", term: 9 },
    ];
    const incidents = tell([first, ...alone(-20_000), ...back, ...alone(0), ...lost]);
    expect(incidents.map(({ kind, cause }) => [kind, cause.code])).toEqual([
      ["store-outage", "isolated"],
      ["failover", "isolated"],
    ]);
    const [, second] = incidents;
    expect((second?.writableAt ?? 0) - (second?.startedAt ?? 0)).toBe(9_000);
  });

  it("are over when the leader serves again, also while it waits for a scheduled switchover", () => {
    const again = { node: "n1", kind: "decision", term: 4 } as const;
    const incident = only(
      tell([
        { at: -60_000, node: "n1", kind: "leader", name: "n1", term: 4 },
        { at: 0, node: "n1", kind: "server-exit", pid: 1, signal: "SIGSEGV" },
        { ...again, at: 50, because: "crash_restarting" },
        { ...again, at: 900, because: "switchover_scheduled", detail: "2026-11-30T02:00:00Z" },
      ]),
    );
    expect(incident.kind).toBe("crash");
    expect((incident.endedAt ?? 0) - incident.startedAt).toBe(900);
  });

  it("of one server that dies again and again are one crash loop", () => {
    const life = (at: number): readonly Said[] => [
      { at, node: "n1", kind: "server-exit", pid: at, signal: "SIGSEGV" },
      { at: at + 50, node: "n1", kind: "decision", because: "crash_restarting" },
      { at: at + 900, node: "n1", kind: "decision", because: "leading", term: 4 },
    ];
    const first: Said = { at: -60_000, node: "n1", kind: "leader", name: "n1", term: 4 };
    const incident = only(tell([first, ...life(0), ...life(10_000), ...life(20_000)]));
    expect(incident).toMatchObject({ kind: "crash-loop", from: "n1" });
  });
});

describe("any events at all", () => {
  it("make stories whose phases never end before they begin, and documents that can be printed", () => {
    const pool = [...crashHandOver, ...hostDies, ...switchover, ...storeAway(["n1", "n2"])];
    fc.assert(
      fc.property(
        fc.subarray(pool),
        fc.infiniteStream(fc.integer({ max: 200, min: -200 })),
        (some, jitter) => {
          const said = some.map((s) => ({ ...s, at: s.at + (jitter.next().value ?? 0) }));
          for (const incident of tell(said)) {
            for (const { from, to } of incident.phases)
              if (to !== undefined) expect(to).toBeGreaterThanOrEqual(from);
            expect(incident.id).toMatch(/^I-\d{8}-\d{6}$/);
            expect(markdownOf(incident)).toContain(incident.title);
          }
        },
      ),
    );
  });
});
