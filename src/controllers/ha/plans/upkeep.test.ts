// Is only the difference written, and nothing that is not ours?
import { describe, expect, it } from "vitest";
import { slot } from "../../../../test/support/slot.ts";
import {
  asked,
  BRANCH_3,
  branches,
  CHECKPOINT,
  cluster,
  config,
  END,
  FORK,
  following,
  given,
  intent,
  LINEAGE,
  leading,
  memberIs,
  NOW,
  server,
  sql,
  TERM,
  tagged,
  tags,
  unread,
  WALL_MS,
} from "../../../../test/support/world.ts";
import { DEFAULT_CONFIG } from "../../../model/config.ts";
import { lsn } from "../../../model/lsn.ts";
import { NO_PAUSE_NOTE } from "../../../model/pause.ts";
import type { HaWorld } from "../world.ts";
import { leaderUpkeep, standbyUpkeep } from "./upkeep.ts";

const leader = (...changes: Parameters<typeof given>[1][]) =>
  leaderUpkeep(given(leading(), ...changes), TERM);
const standby = (...changes: Parameters<typeof given>[1][]) =>
  standbyUpkeep(given(following(), ...changes), undefined);
const slotsOf = (...names: string[]) =>
  sql({ slots: names.map((name) => slot(name, { active: false })) });

describe("a steady cluster", () => {
  it("writes nothing", () => {
    expect(leader()).toEqual([]);
    expect(standby()).toEqual([]);
    expect(leader(unread)).toEqual([]);
  });
});

describe("slots", () => {
  it("are made for every other member that streams, on every possible leader", () => {
    expect(standby(slotsOf("n1"))).toEqual([
      { kind: "sync-slots", create: ["n3"], drop: [], positions: {} },
    ]);
    expect(standby(slotsOf("n1"), memberIs("n3", { tags: tags({ nostream: true }) }))).toEqual([]);
    expect(standby(slotsOf(), tagged({ nofailover: true }))).toEqual([]);
    expect(standby(slotsOf(), config({ useSlots: false }))).toEqual([]);
  });

  it("of strangers are left alone", () => {
    expect(standby(slotsOf("n1", "n3", "debezium"))).toEqual([]);
  });

  it("of a standby are advanced to where the leader's are, never back", () => {
    const at = (n3: number) =>
      cluster((c) => ({
        status: {
          value: { position: END, slots: { n3: lsn(n3) }, absentMs: {} },
          modRevision: c.status.modRevision,
        },
      }));
    expect(standby(at(0x5000100))).toEqual([
      { kind: "sync-slots", create: [], drop: [], positions: { n3: lsn(0x5000100) } },
    ]);
    expect(standby(at(0x4000000))).toEqual([]);
  });
});

describe("a leader's records", () => {
  it("name the end of WAL and the slots when they have moved", () => {
    expect(leader(sql({ position: lsn(0x5000100) }))).toEqual([
      {
        kind: "write-status",
        term: TERM,
        status: {
          position: lsn(0x5000100),
          slots: { n1: CHECKPOINT, n2: END, n3: END },
          absentMs: {},
        },
      },
    ]);
  });

  it("correct the reserved fork and add one row for the branch, with the fork that the server names", () => {
    const reserved = { ...BRANCH_3, term: TERM };
    const exact = { ...reserved, forkLsn: FORK };
    const own = server({ lineage: [...LINEAGE, exact] });
    expect(leader(branches(...LINEAGE, reserved), own)).toMatchObject([
      { kind: "record-fork", term: TERM, branches: [...LINEAGE, exact] },
      {
        kind: "write-history",
        term: TERM,
        rows: [{ timeline: 1 }, { timeline: 2, lsn: FORK, newLeader: "n1" }],
      },
    ]);
  });

  it("are kept as short as configured", () => {
    const own = server({ lineage: [...LINEAGE, { ...BRANCH_3, term: TERM }] });
    const [write] = leader(own, config({ maxTimelinesHistory: 1 }));
    expect(write).toMatchObject({ rows: [{ timeline: 2 }] });
  });
});

describe("wishes", () => {
  it("that have come true or concern others are cleared, scheduled ones wait", () => {
    const clear = { kind: "clear-failover", revision: 450 };
    expect(leader(intent({ candidate: "n1" }))).toEqual([clear]);
    expect(leader(intent({ leader: "n3", candidate: "n2" }))).toEqual([clear]);
    expect(leader(intent({ leader: "n3", scheduledAtMs: WALL_MS + 1 }))).toEqual([]);
    expect(leader(intent({ leader: "n1", candidate: "n2" }))).toEqual([]);
  });
});

describe("settings", () => {
  it("are applied when the files differ from the plan", () => {
    const stale = server({ settingsStale: true });
    const plan = (w: HaWorld) => ({ kind: "apply-settings", plan: w.plan });
    expect(leader(stale)).toEqual([plan(leading())]);
    expect(standby(stale)).toEqual([plan(following())]);
  });

  it("are applied when a person had the file read again, for what lies beside them", () => {
    const again = asked({ reload: { at: NOW } });
    expect(leader(again)).toMatchObject([{ kind: "apply-settings" }]);
    expect(standby(again)).toMatchObject([{ kind: "apply-settings" }]);
  });
});

describe("a configuration that somebody has deleted from the store", () => {
  const deleted = cluster(() => ({ config: { value: undefined, modRevision: 0 } }));

  it("is written again by the leader, as it goes by it", () => {
    expect(leader(deleted, config({ raw: { ttl: 20 } }))).toEqual([
      { kind: "restore-config", json: '{"ttl":20}', revision: 0 },
    ]);
  });

  it("is not invented, and one that cannot be read is not overwritten", () => {
    expect(leader(deleted, config({ raw: {} }))).toEqual([]);
    const broken = cluster(() => ({ config: { value: undefined, modRevision: 33 } }));
    expect(leader(broken, config({ raw: { ttl: 20 } }))).toEqual([]);
  });
});

describe("a pause whose time is over", () => {
  const stored = (untilMs: number | undefined) =>
    cluster(({ config: { value } }) => ({
      config: {
        value: {
          ...(value ?? DEFAULT_CONFIG),
          paused: true,
          pauseNote: { ...NO_PAUSE_NOTE, untilMs },
          raw: { ttl: 20, pause: true, pause_note: {} },
        },
        modRevision: 33,
      },
    }));

  it("is taken back by the leader, compared with what was read", () => {
    expect(leader(stored(WALL_MS))).toEqual([
      { kind: "end-pause", json: '{"ttl":20}', revision: 33 },
    ]);
  });

  it("stays as long as it was meant to, and by the word of a person for ever", () => {
    expect(leader(stored(WALL_MS + 1))).toEqual([]);
    expect(leader(stored(undefined))).toEqual([]);
    expect(standby(stored(WALL_MS))).toEqual([]);
  });
});
