// The primary's server died: is it restarted, or does somebody else take over?
import { describe, expect, it } from "vitest";
import {
  askedToRestart,
  BRANCH_3,
  crashed,
  END,
  failed,
  given,
  intent,
  LINEAGE,
  leading,
  NOW,
  outcome,
  peerSays,
  peerSilent,
  remembering,
  stoppedAt,
  WALL_MS,
  watchdogIs,
} from "../../../../test/support/world.ts";
import { lsn } from "../../../model/lsn.ts";
import { after } from "../../../model/time.ts";
import { decide } from "../decide.ts";

const dead = (...changes: Parameters<typeof given>[1][]) =>
  given(leading(), crashed, remembering({ downSince: after(NOW, -50) }), ...changes);
const scanned = (at: bigint) =>
  outcome("find-crash-end", { result: { kind: "end", lsn: lsn(at) } });
const crashes = (...ago: number[]) => remembering({ crashes: ago.map((ms) => after(NOW, -ms)) });
const behind = peerSays("n2", { position: lsn(END - 16n) });

describe("a crashed primary", () => {
  it("looks for its last byte from where the best standby ends (R24)", () => {
    expect(decide(dead(peerSays("n2"), peerSilent("n3")))).toMatchObject({
      because: "crash_examining",
      step: { kind: "find-crash-end", from: END, lineage: LINEAGE },
      vouch: true,
    });
  });

  it("hands over to a standby that has every byte, by name (R25)", () => {
    expect(decide(dead(peerSays("n2"), scanned(END))).step).toEqual({
      kind: "release",
      term: 100,
      release: { heir: "n2", minLsn: END },
    });
  });

  it.each([
    ["nobody answers", peerSilent("n2")],
    ["the best standby lacks a byte", (w: ReturnType<typeof leading>) => scanned(END)(behind(w))],
    [
      "the end cannot be found",
      (w: ReturnType<typeof leading>) =>
        outcome("find-crash-end", { result: { kind: "unknown", why: "torn" } })(peerSays("n2")(w)),
    ],
    [
      "the scan failed",
      (w: ReturnType<typeof leading>) => failed("find-crash-end", "TIMEOUT")(peerSays("n2")(w)),
    ],
    ["the standby is on another branch", peerSays("n2", { lineage: [...LINEAGE, BRANCH_3] })],
    [
      "the standby must not lead",
      peerSays("n2", { tags: { ...leading().self.tags, nofailover: true } }),
    ],
  ])("restarts in place when %s", (_, change) => {
    const verdict = decide(dead(change));
    expect(verdict).toMatchObject({
      because: "crash_restarting",
      step: { kind: "start-primary", term: 100 },
      vouch: true,
    });
    expect(verdict.memory.crashes).toEqual([NOW]);
  });

  it("does not trust a scan of an earlier death", () => {
    const old = outcome("find-crash-end", { agoMs: 51, result: { kind: "end", lsn: END } });
    expect(decide(dead(peerSays("n2"), old)).because).toBe("crash_examining");
  });

  it("hands over after a clean stop without any scan", () => {
    expect(decide(given(leading(), stoppedAt(END), peerSays("n2"))).because).toBe(
      "crash_handing_over",
    );
  });
});

describe("a primary that crashes again and again (R46)", () => {
  const unfit = [peerSays("n2", { position: lsn(END - 16n) }), scanned(END)] as const;

  it("gives up after three in ten minutes, or one without a minute of service", () => {
    for (const often of [crashes(500_000, 300_000, 100_000), crashes(59_999)]) {
      expect(decide(dead(...unfit, often))).toMatchObject({
        because: "crash_giving_up",
        step: { kind: "release", release: { heir: undefined, minLsn: END } },
        vouch: false,
      });
    }
    expect(decide(dead(...unfit, crashes(60_000, 700_000))).because).toBe("crash_restarting");
  });

  it("counts a restart that never came up as no service at all", () => {
    const slow = failed("start-primary", "PG_START_TIMEOUT", 10);
    expect(decide(dead(...unfit, crashes(310_000), slow)).because).toBe("crash_giving_up");
    const long = failed("start-primary", "PG_START_TIMEOUT", 400_000);
    expect(decide(dead(...unfit, crashes(310_000), long)).because).toBe("crash_restarting");
  });

  it("gives up at once on a full disk", () => {
    const full = failed("start-primary", "PG_DISK_FULL");
    expect(decide(dead(...unfit, full)).because).toBe("crash_giving_up");
  });

  it("lets its lease run out when nobody knows the last byte", () => {
    const torn = outcome("find-crash-end", { result: { kind: "unknown", why: "torn" } });
    const verdict = decide(dead(behind, torn, crashes(5_000)));
    expect(verdict).toMatchObject({ because: "crash_giving_up", vouch: false });
    expect(verdict.step).toBeUndefined();
  });

  it("goes on restarting, ever more slowly, while nobody can take over", () => {
    expect(decide(dead(crashes(1_999)))).toMatchObject({
      because: "start_backoff",
      vouch: true,
      wakeAt: NOW + 1,
    });
    expect(decide(dead(crashes(2_000))).because).toBe("crash_restarting");
  });
});

describe("a restart that a person asked for", () => {
  it("is no crash", () => {
    const verdict = decide(given(leading(), stoppedAt(END), askedToRestart, peerSays("n2")));
    expect(verdict.because).toBe("lead_restarting");
    expect(verdict.memory.crashes).toEqual([]);
  });

  it("that failed is one: the lease is not held for ever", () => {
    const w = given(
      leading(),
      stoppedAt(END),
      askedToRestart,
      peerSays("n2"),
      failed("start-primary", "PG_START_FAILED", 50),
    );
    expect(decide(w).because).toBe("crash_handing_over");
  });
});

describe("a switchover whose server is down", () => {
  const wish = intent({ leader: "n1", candidate: "n2" });
  const down = (...changes: Parameters<typeof given>[1][]) =>
    given(leading(), stoppedAt(END), wish, ...changes);

  it("waits three seconds for the candidate's last byte, then goes on as primary", () => {
    const since = (ms: number) => remembering({ downSince: after(NOW, -ms) });
    const waiting = decide(down(behind, since(2_999)));
    expect(waiting).toMatchObject({ because: "switchover_handing_over", vouch: true });
    expect(waiting.step).toBeUndefined();
    const over = decide(down(behind, since(3_000)));
    expect(over).toMatchObject({
      because: "switchover_abandoned",
      step: { kind: "start-primary" },
    });
    expect(over.upkeep).toContainEqual({ kind: "clear-failover", revision: 450 });
    expect(over.memory.crashes).toEqual([]);
  });

  it("hands over to the candidate even when another has as much", () => {
    expect(decide(down(peerSays("n2"), peerSays("n3"))).step).toMatchObject({
      release: { heir: "n2" },
    });
  });

  it("is not begun by a stop that comes before its time", () => {
    const later = intent({ leader: "n1", candidate: "n2", scheduledAtMs: WALL_MS + 1 });
    const w = given(leading(), stoppedAt(END), later, behind);
    expect(decide(w).because).toBe("crash_restarting");
  });
});

describe("a dead primary without the watchdog that it requires (S14)", () => {
  const wish = intent({ leader: "n1", candidate: "n2" });
  const long = remembering({ downSince: after(NOW, -3_000) });
  const abandoned = [stoppedAt(END), wish, long];

  it.each([
    ["that crashed", [crashed, long, scanned(END)]],
    ["whose restart was asked for", [stoppedAt(END), askedToRestart]],
    ["whose candidate fell out of the switchover", abandoned],
  ])("%s is not started again, whoever answers", (_, changes) => {
    for (const others of [[], [behind], [peerSays("n3")]]) {
      const w = given(leading(), ...changes, ...others, watchdogIs("failed"));
      expect(decide(w).step).toMatchObject({ kind: "release", term: 100 });
    }
  });

  it("hands over to another than the candidate that fell out, and takes the wish back", () => {
    const w = given(leading(), ...abandoned, watchdogIs("failed"), peerSays("n3"));
    expect(decide(w)).toMatchObject({
      because: "crash_handing_over",
      step: { release: { heir: "n3", minLsn: END } },
      upkeep: expect.arrayContaining([{ kind: "clear-failover", revision: 450 }]),
    });
  });
});
