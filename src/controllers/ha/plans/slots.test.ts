// Is WAL kept for everybody who may need it, and dropped only when it is ours and nobody can?
import { describe, expect, it } from "vitest";
import { slot } from "../../../../test/support/slot.ts";
import {
  asked,
  CHECKPOINT,
  cluster,
  config,
  END,
  following,
  given,
  heldBy,
  leading,
  memberIs,
  NOW,
  outcome,
  server,
  sql,
  TERM,
  tagged,
  tags,
  unread,
  withoutLeader,
} from "../../../../test/support/world.ts";
import { type Lsn, lsn } from "../../../model/lsn.ts";
import type { PermanentSlot } from "../../../model/slot.ts";
import { after, instant, type Ms } from "../../../model/time.ts";
import type { HaWorld } from "../world.ts";
import { slotMemory, slotReports } from "./slots.ts";
import { leaderUpkeep, standbyUpkeep } from "./upkeep.ts";

type Change = Parameters<typeof given>[1];
const MINUTE = 60_000;

const learnt: Change = (w) => ({ ...w, memory: { ...w.memory, ...slotMemory(w) } });
const later =
  (ms: Ms): Change =>
  (w) => ({ ...w, now: after(w.now, ms) });
const gone = (name: string): Change =>
  cluster((c) => ({ members: c.members.filter((m) => m.name !== name) }));
const back =
  (name: string): Change =>
  (w) =>
    cluster((c) => ({
      members: [...c.members, { ...(c.members[0] as (typeof c.members)[0]), name }],
    }))(w);
const publishedStatus = (slots: Record<string, Lsn>, absentMs: Record<string, Ms> = {}): Change =>
  cluster(() => ({ status: { value: { position: END, slots, absentMs }, modRevision: 400 } }));
const idle = (...names: string[]): Change =>
  sql({ slots: names.map((name) => slot(name, { active: false })) });

const standby = (...changes: Change[]) => standbyUpkeep(given(following(), ...changes), undefined);
const leader = (...changes: Change[]) => leaderUpkeep(given(leading(), ...changes), TERM);
const dropped = (upkeep: ReturnType<typeof standby>) =>
  upkeep.flatMap((u) => (u.kind === "sync-slots" ? u.drop : []));

describe("the slot of a member that is away", () => {
  it("is kept for as long as configured, then dropped when idle", () => {
    const before = [gone("n3"), learnt, later(30 * MINUTE - 1)];
    expect(standby(...before)).toEqual([]);
    expect(dropped(standby(...before, later(1)))).toEqual(["n3"]);
    const active = sql({ slots: [slot("n1", { active: false }), slot("n3")] });
    expect(standby(...before, later(1), active)).toEqual([]);
  });

  it("is needed again as soon as the member is back", () => {
    const world = given(following(), gone("n3"), learnt, later(20 * MINUTE), back("n3"), learnt);
    expect(world.memory.unneededSince).toEqual({});
  });

  it("is made on a newcomer too, and the leader's count goes on there", () => {
    const counted = [
      gone("n3"),
      publishedStatus({ n1: CHECKPOINT }, { n3: 20 * MINUTE }),
      server({ ownSlots: [] }),
      idle("n1"),
      learnt,
    ];
    expect(standby(...counted)).toMatchObject([{ create: ["n3"], drop: [] }]);
    expect(standby(...counted, later(10 * MINUTE))).toEqual([]);
  });

  it("is kept for the leader that has no key of its own: it lives by its peers' promises", () => {
    const cut = [withoutLeader, gone("n1"), learnt, later(31 * MINUTE), learnt];
    expect(dropped(standby(...cut, heldBy("n1", 300), learnt))).toEqual([]);
    const replaced = [...cut, heldBy("n3", 300), learnt];
    expect(dropped(standby(...replaced, later(29 * MINUTE), learnt))).toEqual([]);
    expect(dropped(standby(...replaced, later(30 * MINUTE), learnt))).toEqual(["n1"]);
  });

  it("is not counted further than the leader counts: it may have seen a short return", () => {
    const world = given(
      following(),
      gone("n3"),
      learnt,
      later(29 * MINUTE),
      publishedStatus({ n1: CHECKPOINT }, { n3: 0 }),
      learnt,
    );
    expect(world.memory.unneededSince["n3"]).toBe(instant(NOW + 28 * MINUTE));
  });

  it("is not counted while this agent sleeps, whatever was published before: the count begins at nothing", () => {
    const looked: Change = (w) => ({ ...w, memory: { ...w.memory, lookedAt: w.now } });
    const slept = [gone("n3"), learnt, looked, later(29.5 * MINUTE)];
    const status = publishedStatus({ n1: CHECKPOINT }, { n3: 29 * MINUTE });
    const again = [...slept, status, learnt];
    expect(dropped(standby(...again, later(29 * MINUTE)))).toEqual([]);
    expect(dropped(standby(...again, later(30 * MINUTE)))).toEqual(["n3"]);
  });

  it("is not counted while the store cannot be read: the count goes on where the leader's stood", () => {
    const blind = [gone("n3"), learnt, later(29.5 * MINUTE), unread, learnt, later(60 * MINUTE)];
    const status = publishedStatus({ n1: CHECKPOINT }, { n3: 29 * MINUTE });
    const seeing: Change = (w) => ({ ...w, store: following().store });
    const again = [...blind, seeing, gone("n3"), status, learnt];
    expect(dropped(standby(...again))).toEqual([]);
    expect(dropped(standby(...again, later(MINUTE)))).toEqual(["n3"]);
  });

  it("is published by the leader with its age in whole minutes", () => {
    const [write] = leader(gone("n3"), learnt, later(90_000));
    expect(write).toMatchObject({ kind: "write-status", status: { absentMs: { n3: MINUTE } } });
  });

  it("is never dropped while nobody leads, in a pause, or when the store cannot be read", () => {
    const ripe = [gone("n3"), learnt, later(31 * MINUTE)];
    expect(dropped(standby(...ripe, withoutLeader))).toEqual([]);
    expect(dropped(leader(...ripe, idle("n2", "n3"), config({ paused: true })))).toEqual([]);
    expect(dropped(leader(...ripe, idle("n2", "n3")))).toEqual(["n3"]);
    expect(standby(...ripe, unread)).toEqual([]);
  });
});

describe("what is not ours", () => {
  const ripe = [gone("n3"), learnt, later(31 * MINUTE)];

  it("is never dropped: strangers, other people's slots of that name, logical slots", () => {
    expect(dropped(standby(...ripe, server({ ownSlots: ["n1"] })))).toEqual([]);
    const logical = { database: "d", plugin: "pgoutput", confirmedLsn: END };
    const replaced = slot("n3", { active: false, kind: "logical", logical });
    const others = sql({ slots: [slot("n1", { active: false }), replaced, slot("debezium")] });
    expect(dropped(standby(...ripe, others))).toEqual([]);
  });

  it("nor what the configuration tells us to leave alone", () => {
    const pattern = { name: "n3", kind: undefined, database: undefined, plugin: undefined };
    expect(dropped(standby(...ripe, config({ ignoredSlots: [pattern] })))).toEqual([]);
  });
});

it("a member's slot that PostgreSQL has given up is made anew", () => {
  const lost = slot("n3", { active: false, walStatus: "lost", restartLsn: undefined });
  const broken = sql({ slots: [slot("n1", { active: false }), lost] });
  expect(dropped(standby(broken))).toEqual(["n3"]);
});

it("a standby that may never lead keeps slots only for its own cascade", () => {
  const below = memberIs("n3", { tags: tags({ replicatefrom: "n2" }) });
  const own = [tagged({ nofailover: true }), idle(), server({ ownSlots: [] })];
  expect(standby(...own)).toEqual([]);
  expect(standby(...own, below)).toMatchObject([{ create: ["n3"] }]);
});

it("a primary's idle slot goes where a member that streams from another standby says it is", () => {
  const behind = slot("n3", { active: false, restartLsn: CHECKPOINT });
  const slots = sql({ slots: [slot("n2"), behind] });
  const status = publishedStatus({ n1: CHECKPOINT, n2: END, n3: CHECKPOINT });
  const at = lsn(0x4800000);
  const streams = memberIs("n3", { position: at });
  expect(leader(slots, status, streams)).toMatchObject([{ positions: { n3: at } }]);
  expect(leader(slots, status, memberIs("n3", { timeline: 1, position: at }))).toEqual([]);
  expect(leader(slots, status, memberIs("n3", { replicationState: undefined }))).toEqual([]);
});

describe("permanent slots", () => {
  const physical: PermanentSlot = { name: "archiver", logical: undefined, only: undefined };
  const logical: PermanentSlot = {
    name: "cdc",
    logical: { database: "shop", plugin: "pgoutput" },
    only: undefined,
  };
  const both = config({ permanentSlots: [physical, logical] });

  it("are made on the leader, physical ones on every possible leader", () => {
    expect(leader(both)).toMatchObject([
      { kind: "sync-slots", create: ["archiver"] },
      { kind: "create-logical-slots", slots: [logical] },
    ]);
    expect(standby(both)).toMatchObject([{ kind: "sync-slots", create: ["archiver"] }]);
  });

  it("are advanced on standbys, and published where a consumer has confirmed", () => {
    const there = idle("n1", "n3", "archiver");
    const at = lsn(0x5000100);
    const status = publishedStatus({ n1: END, n3: END, archiver: at });
    expect(standby(both, there, status)).toMatchObject([{ positions: { archiver: at } }]);
    const cdc = slot("cdc", {
      kind: "logical",
      logical: { database: "shop", plugin: "pgoutput", confirmedLsn: CHECKPOINT },
    });
    const onLeader = sql({ slots: [slot("n2"), slot("n3"), slot("archiver"), cdc] });
    const slots = { n1: CHECKPOINT, n2: END, n3: END, archiver: END, cdc: CHECKPOINT };
    expect(leader(both, onLeader)).toMatchObject([{ status: { slots } }]);
  });

  it("that cannot be made are tried again after a while, and not without the level of WAL", () => {
    const failed = outcome("create-logical-slots", { ok: false, agoMs: 9_000 });
    const kinds = (...changes: Change[]) => leader(both, ...changes).map(({ kind }) => kind);
    expect(kinds(failed)).not.toContain("create-logical-slots");
    expect(kinds(failed, later(1_000))).toContain("create-logical-slots");
    expect(kinds(sql({ walLevel: "minimal" }))).not.toContain("create-logical-slots");
  });

  it("that leave the configuration are kept for the same while as an absent member's", () => {
    const known = [idle("n1", "n3", "archiver"), server({ ownSlots: ["n1", "n3", "archiver"] })];
    expect(dropped(standby(...known, learnt, later(29 * MINUTE)))).toEqual([]);
    expect(dropped(standby(...known, learnt, later(30 * MINUTE)))).toEqual(["archiver"]);
    expect(dropped(standby(...known, both, learnt, later(30 * MINUTE)))).toEqual([]);
  });

  it("of a standby cluster are not made where there is a primary", () => {
    expect(leader(config({ permanentSlots: [{ ...physical, only: "standby" }] }))).toEqual([]);
  });
});

it("idleness is counted from the first look that saw it", () => {
  const seen = given(leading(), idle("n2"), learnt);
  const on = (w: HaWorld): unknown => given(w, later(MINUTE), learnt).memory.idleSince;
  expect(on(seen)).toEqual({ n2: NOW });
  expect(on(given(seen, sql({ slots: [slot("n2")] }), learnt))).toEqual({});
});

it("a report says what each slot is for, and how much it keeps", () => {
  const physical: PermanentSlot = { name: "archiver", logical: undefined, only: undefined };
  const pattern = { name: "mine", kind: undefined, database: undefined, plugin: undefined };
  const configured = config({ permanentSlots: [physical], ignoredSlots: [pattern] });
  const names = ["n2", "archiver", "mine", "debezium"];
  const slots = [
    ...names.map((name) => slot(name, { restartLsn: CHECKPOINT })),
    slot("pg_basebackup_7", { temporary: true }),
    slot("n3", { active: false }),
  ];
  const world = given(leading(), configured, sql({ slots }), gone("n3"), learnt, later(MINUTE));
  const kept = Number(END - CHECKPOINT);
  expect(slotReports(world).map((r) => [r.slot.name, r.use, r.idleMs, r.retainedBytes])).toEqual([
    ["n2", "member", undefined, kept],
    ["archiver", "permanent", undefined, kept],
    ["mine", "ignored", undefined, kept],
    ["debezium", "unknown", undefined, kept],
    ["pg_basebackup_7", "temporary", undefined, 0],
    ["n3", "away", MINUTE, 0],
  ]);
});

it("a slot whose name was typed is dropped, whoever made it", () => {
  const wish = asked({ dropSlot: { at: NOW, name: "debezium" } });
  expect(leader(wish)).toEqual([{ kind: "drop-slot", name: "debezium" }]);
  expect(standby(wish)).toEqual([{ kind: "drop-slot", name: "debezium" }]);
});
