// Is a promise kept for as long as was promised, by this life of the agent and by the next?
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { virtualClock } from "../../test/support/clock.ts";
import { BLANK_STATE } from "../../test/support/node-state.ts";
import { cluster, following, given, heldBy, released } from "../../test/support/world.ts";
import { AppError } from "../model/error.ts";
import { validUntil } from "../model/lease.ts";
import type { GivenPromise } from "../model/promise.ts";
import { instant, type Ms } from "../model/time.ts";
import type { NodeState, NodeStateFile } from "../ports/node-state.ts";
import { PromiseBook } from "./promise-book.ts";

const ASKED = { grantee: "n1", term: 100, durationMs: 8_000 };
const KEPT_MS: Ms = 8_080;
const nothing = () => undefined;

type Writable = { -readonly [K in keyof NodeState]: NodeState[K] };

/** A disk that writes at once, or when it is told to. */
function disk(promise?: GivenPromise) {
  const state: Writable = { ...BLANK_STATE, promise };
  const file = {
    held: undefined as Promise<void> | undefined,
    isFull: false,
    current: () => state,
    async update(change: Partial<NodeState>) {
      await file.held;
      if (file.isFull) throw new AppError("PG_DISK_FULL", "writing");
      Object.assign(state, change);
    },
  } satisfies NodeStateFile & Record<string, unknown>;
  return file;
}

const snapshot = (...changes: Parameters<typeof given>[1][]) => {
  const { store } = given(following(), ...changes);
  if (store.kind !== "known") throw new Error("unread");
  return store.value;
};

describe("a promise", () => {
  it("is on disk when it is acknowledged, and binds as long as any rival waits", async () => {
    const clock = virtualClock();
    const file = disk();
    const book = new PromiseBook(clock, file);
    expect(await book.give(ASKED, nothing)).toEqual({ kind: "promised" });
    expect(file.current().promise).toMatchObject({ ...ASKED, until: clock.now() + KEPT_MS });
    await clock.pass(KEPT_MS - 1);
    expect(book.binding()).toMatchObject(ASKED);
    await clock.pass(1);
    expect(book.binding()).toBeUndefined();
  });

  it("binds from the moment at which it begins to be written", async () => {
    const file = disk();
    const book = new PromiseBook(virtualClock(), file);
    let written = () => {};
    file.held = new Promise((resolve) => {
      written = resolve;
    });
    const giving = book.give(ASKED, nothing);
    expect(book.binding()).toMatchObject(ASKED);
    expect(await book.give({ ...ASKED, grantee: "n3" }, nothing)).toMatchObject({
      kind: "refused",
    });
    written();
    expect(await giving).toEqual({ kind: "promised" });
  });

  it("that could not be written is refused", async () => {
    const file = disk();
    file.isFull = true;
    const book = new PromiseBook(virtualClock(), file);
    expect(await book.give(ASKED, nothing)).toMatchObject({ kind: "refused" });
  });

  it("is given to one member at a time, for its newest term, and never shortened", async () => {
    const clock = virtualClock();
    const book = new PromiseBook(clock, disk());
    await book.give(ASKED, nothing);
    const refusal = { kind: "refused" };
    expect(await book.give({ ...ASKED, grantee: "n3", term: 200 }, nothing)).toMatchObject(refusal);
    expect(await book.give({ ...ASKED, term: 99 }, nothing)).toMatchObject(refusal);
    expect(await book.give(ASKED, () => "Running as a leader")).toMatchObject(refusal);
    await clock.pass(1_000);
    await book.give({ ...ASKED, term: 101, durationMs: 100 }, nothing);
    expect(book.binding()).toMatchObject({ term: 101, until: clock.now() - 1_000 + KEPT_MS });
  });

  it("ends with what the store shows: its grantee gave up, or a newer term began", async () => {
    for (const seen of [
      snapshot(heldBy("n2", 200)),
      snapshot(released({ heir: "n2", minLsn: undefined }, { ago: 0 })),
    ]) {
      const book = new PromiseBook(virtualClock(), disk());
      await book.give(ASKED, nothing);
      book.sawCluster(snapshot());
      expect(book.binding()).toMatchObject(ASKED);
      book.sawCluster(seen);
      expect(book.binding()).toBeUndefined();
      expect(await book.give(ASKED, nothing)).toMatchObject({ kind: "refused" });
    }
    const book = new PromiseBook(virtualClock(), disk());
    await book.give(ASKED, nothing);
    book.sawCluster(snapshot(cluster(() => ({ leader: undefined, hold: undefined }))));
    expect(book.binding()).toMatchObject(ASKED);
  });
});

describe("the next life of the agent", () => {
  const written = { ...ASKED, writtenAt: instant(50_000), until: instant(58_080) };

  it("is bound by what it finds", () => {
    const at = (now: number) => new PromiseBook(virtualClock(instant(now)), disk(written));
    expect(at(55_000).binding()).toMatchObject({ until: 58_080 });
    expect(at(58_080).binding()).toBeUndefined();
  });

  it("counts the whole time from its start when the host has booted in between", () => {
    const book = new PromiseBook(virtualClock(instant(3_000)), disk(written));
    expect(book.binding()).toMatchObject({ until: 3_000 + KEPT_MS });
  });
});

describe("two grantors", () => {
  /** Every instant is a host's own reading of one true time; rates differ by at most one per cent. */
  const rate = fc.double({ min: 0.99, max: 1.01, noNaN: true });
  const ms = (max: number) => fc.integer({ min: 0, max });

  it("never let a rival race while the holder believes, whatever the clocks, delays and restarts", () => {
    fc.assert(
      fc.property(
        fc.record({ holder: rate, giver: rate, holdMs: fc.integer({ min: 4_000, max: 60_000 }) }),
        fc.record({ sent: ms(1_000), travel: ms(5_000), restart: ms(90_000), bootMs: ms(20_000) }),
        fc.boolean(),
        ({ holder, giver, holdMs }, { sent, travel, restart, bootMs }, reboots) => {
          // The holder counts from before it asked; the giver from when it was asked.
          const holderAt = (t: number) => 1_000 + t * holder;
          const giverAt = (t: number) => 70_000 + t * giver;
          const belief = validUntil(instant(holderAt(sent)), holdMs);
          const beliefEnds = (belief - 1_000) / holder;
          const file = disk();
          const receivedAt = sent + travel;
          let now = giverAt(receivedAt);
          const clock = { now: () => instant(now) };
          const book = new PromiseBook(clock, file);
          void book.give({ grantee: "n1", term: 1, durationMs: holdMs }, nothing);
          const promise = book.binding();
          const kept = disk(promise);
          const backAt = receivedAt + restart + (reboots ? bootMs : 0);
          // After a boot the clock begins near zero.
          const zeroAt = reboots ? receivedAt + restart : undefined;
          const readAt = (t: number) => (zeroAt === undefined ? giverAt(t) : (t - zeroAt) * giver);
          now = readAt(backAt);
          const next = new PromiseBook(clock, kept);
          const boundTo = next.binding()?.until;
          const trueTime = (reading: number) =>
            zeroAt === undefined ? (reading - 70_000) / giver : zeroAt + reading / giver;
          const freeAt = boundTo === undefined ? backAt : trueTime(boundTo);
          expect(freeAt).toBeGreaterThanOrEqual(beliefEnds);
        },
      ),
    );
  });
});
