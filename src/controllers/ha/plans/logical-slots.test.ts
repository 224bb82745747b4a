// Is a logical slot carried to whoever leads next, and never offered when its reader could miss something?
import { describe, expect, it } from "vitest";
import { slot } from "../../../../test/support/slot.ts";
import {
  cluster,
  config,
  END,
  following,
  given,
  heldBy,
  justWon,
  leading,
  NOW,
  outcome,
  sql,
  TERM,
  tagged,
} from "../../../../test/support/world.ts";
import { type Lsn, lsn } from "../../../model/lsn.ts";
import type { SlotState } from "../../../model/server.ts";
import { after } from "../../../model/time.ts";
import type { CatalogHorizons } from "../../../ports/postgres.ts";
import { decide } from "../decide.ts";
import type { HaWorld } from "../world.ts";
import { copyMemory, isNotBefore, isSafeCopy, lostSlots } from "./logical-slots.ts";
import { digest } from "./memory.ts";
import { leaderUpkeep } from "./upkeep.ts";

type Change = Parameters<typeof given>[1];

const logical = { database: "shop", plugin: "pgoutput" };
const configured = config({ permanentSlots: [{ name: "cdc", logical, only: undefined }] });
const cdc = (change: Partial<SlotState> = {}, confirmedLsn: Lsn = END): SlotState =>
  slot("cdc", {
    active: false,
    kind: "logical",
    catalogXmin: 700,
    logical: { ...logical, confirmedLsn },
    ...change,
  });
const has = (...more: SlotState[]): Change =>
  sql({ slots: [slot("n1", { active: false }), slot("n3", { active: false }), ...more] });
const onLeader = (at: Lsn = END): Change =>
  cluster((c) => {
    const { slots, ...rest } = c.status.value;
    return { status: { value: { ...rest, slots: { ...slots, cdc: at } }, modRevision: 400 } };
  });
const standby = (...changes: Change[]): HaWorld => given(following(), configured, ...changes);
const compared = (result: CatalogHorizons): Change => outcome("compare-slots", { result });
const learnt: Change = (w) => ({ ...w, memory: digest(w) });
const stepOf = (w: HaWorld) => decide(w).step;
const upkeepOf = (w: HaWorld) => decide(w).upkeep.filter(({ kind }) => kind !== "publish");

describe("a standby", () => {
  it("is restarted with copies of what the leader has and it lacks", () => {
    expect(decide(standby(onLeader()))).toMatchObject({
      because: "slots_copying",
      step: { kind: "copy-slots", names: ["cdc"], from: { host: "n1.example" } },
    });
    expect(stepOf(standby(onLeader(), has(cdc())))).toBeUndefined();
    expect(stepOf(standby(onLeader(), has(cdc({ walStatus: "lost" }))))).toMatchObject({
      kind: "copy-slots",
    });
  });

  it("is not, where it would help nobody", () => {
    expect(stepOf(standby()), "the leader has none").toBeUndefined();
    expect(stepOf(standby(onLeader(), tagged({ nofailover: true })))).toBeUndefined();
    expect(stepOf(standby(onLeader(), sql({ walLevel: "minimal" })))).toBeUndefined();
    const failed = outcome("copy-slots", { ok: false, agoMs: 59_999 });
    expect(stepOf(standby(onLeader(), failed))).toBeUndefined();
  });

  it("moves its copies to where the reader is, never back", () => {
    const moved = upkeepOf(standby(has(cdc({}, lsn(0x4000000))), onLeader()));
    expect(moved).toContainEqual({
      kind: "advance-copies",
      moves: [{ name: "cdc", database: "shop", to: END }],
    });
    const ahead = upkeepOf(standby(has(cdc()), onLeader(lsn(0x4000000))));
    expect(ahead.map(({ kind }) => kind)).not.toContain("advance-copies");
  });

  it("asks the leader what it keeps, until every copy is safe", () => {
    const doubtful = standby(has(cdc()), onLeader());
    expect(upkeepOf(doubtful)).toEqual([
      {
        kind: "compare-slots",
        from: expect.objectContaining({ host: "n1.example" }),
        ownSlot: "n2",
      },
    ]);
    const settled = given(doubtful, compared({ own: 700, logical: { cdc: 700 } }), learnt);
    expect(upkeepOf(settled)).toEqual([]);
  });
});

describe("a copy is safe", () => {
  const safe = (result: CatalogHorizons, change: Partial<SlotState> = {}): boolean =>
    isSafeCopy(given(standby(has(cdc(change)), onLeader()), compared(result), learnt), "cdc");

  it("when the leader keeps for us from before what it needs, and nothing was missing then", () => {
    expect(safe({ own: 700, logical: { cdc: 700 } })).toBe(true);
    expect(safe({ own: undefined, logical: { cdc: 700 } }), "the leader has not heard").toBe(false);
    expect(safe({ own: 690, logical: { cdc: 700 } }), "rows before 700 may be gone").toBe(false);
    expect(safe({ own: 710, logical: { cdc: 700 } }), "the copy needs more").toBe(false);
    expect(safe({ own: 700, logical: {} }), "the leader has no such slot").toBe(false);
    expect(safe({ own: 700, logical: { cdc: 700 } }, { catalogXmin: undefined })).toBe(false);
  });

  it("by what was needed when it was first kept for us, not by what is needed now", () => {
    const first = given(
      standby(has(cdc({ catalogXmin: 690 })), onLeader()),
      compared({ own: 690, logical: { cdc: 700 } }),
      learnt,
    );
    const second = given(
      first,
      has(cdc({ catalogXmin: 705 })),
      (w) => ({ ...w, now: after(NOW, 2_000) }),
      outcome("compare-slots", { result: { own: 705, logical: { cdc: 800 } }, agoMs: -1_000 }),
      learnt,
    );
    expect([isSafeCopy(first, "cdc"), isSafeCopy(second, "cdc")]).toEqual([false, true]);
  });

  it("no longer under another leader, after a failed move, or when it is gone", () => {
    const known = given(
      standby(has(cdc()), onLeader()),
      compared({ own: 700, logical: { cdc: 700 } }),
      learnt,
    );
    expect(isSafeCopy(given(known, heldBy("n1", TERM + 1), learnt), "cdc")).toBe(false);
    expect(isSafeCopy(given(known, outcome("advance-copies", { ok: false })), "cdc")).toBe(false);
    expect(copyMemory(given(known, has()), given(known, has()).memory).copies).toEqual({});
  });

  it("by the nearer way round, since transaction numbers come again", () => {
    expect([isNotBefore(5, 4_294_967_290), isNotBefore(4_294_967_290, 5)]).toEqual([true, false]);
  });
});

describe("who takes over", () => {
  const winner = given(justWon(), configured, has(cdc()));

  it("drops copies that it does not know to be safe, before it reserves anything", () => {
    expect(decide(winner)).toMatchObject({
      because: "lead_dropping_copies",
      step: { kind: "drop-copies", names: ["cdc"] },
      vouch: true,
    });
  });

  it("keeps those that were safe under the leader that it followed last", () => {
    const facts = { term: TERM, floor: 700, isSafe: true };
    const knowing = given(winner, (w) => ({
      ...w,
      memory: { ...w.memory, copies: { cdc: facts }, followedTerm: TERM },
    }));
    expect(decide(knowing).because).toBe("lead_reserving_timeline");
  });
});

describe("a slot that a failover has lost", () => {
  const world = given(leading(), configured, onLeader(lsn(0x4000000)));

  it("is never made anew behind its reader's back, and not forgotten", () => {
    expect(leaderUpkeep(world, TERM)).toEqual([]);
    const c = world.store.kind === "known" ? world.store.value : undefined;
    expect(c && lostSlots(world, c)).toEqual(["cdc"]);
  });

  it("is forgotten when it leaves the configuration", () => {
    const [write] = leaderUpkeep(given(world, config({ permanentSlots: [] })), TERM);
    expect(write).toMatchObject({ kind: "write-status", status: { slots: { n2: END, n3: END } } });
  });
});
