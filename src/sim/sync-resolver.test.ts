// The resolver against a server whose processes each learn of a reload at their own moment: whatever is interrupted,
// no election that `sync` permits can miss a commit that was acknowledged.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { nextSyncMove, type SyncMove } from "../controllers/ha/plans/sync.ts";
import { type Lsn, lsn } from "../model/lsn.ts";
import { printSyncNames, type SyncNames, type SyncState } from "../model/sync.ts";
import type { Run, Sender } from "./run.ts";
import { commitWaits, heardFrom, isGateClosed } from "./sync-rep.ts";

const STANDBYS = ["a", "b", "c"] as const;

type Deed =
  | { readonly kind: "commit" }
  | { readonly kind: "flush"; readonly who: number }
  | { readonly kind: "hear"; readonly who: number }
  | { readonly kind: "agent" }
  /** Everybody hears of the last reload, then the agent moves: how it goes when nothing interrupts. */
  | { readonly kind: "round" }
  | { readonly kind: "agent-dies" }
  | { readonly kind: "want"; readonly names: SyncNames }
  | { readonly kind: "leaves"; readonly who: number };

/** The store, one primary, three standbys, and an agent that may forget everything at any time. */
class Stage {
  readonly run: Pick<Run, "senders" | "syncNames" | "makesWait" | "syncWaits"> = {
    senders: new Map(),
    syncNames: { kind: "unmanaged" },
    makesWait: false,
    syncWaits: [],
  };
  written: SyncNames = { kind: "unmanaged" };
  state: SyncState | undefined;
  wanted: SyncNames = { kind: "nobody" };
  proven: number | undefined;
  end = 0;
  readonly flushed = new Map<string, number>(STANDBYS.map((name) => [name, 0]));
  readonly acknowledged: number[] = [];

  constructor() {
    for (const name of STANDBYS) this.#connect(name);
  }

  #connect(name: string): void {
    const sender: Sender = {
      to: name,
      slot: undefined,
      syncNames: this.run.syncNames,
      reported: () => this.flushed.get(name) ?? 0,
      pump: () => undefined,
      close: () => undefined,
    };
    this.run.senders.set(name, sender);
  }

  do(deed: Deed): void {
    const name = "who" in deed ? (STANDBYS[deed.who % 4] ?? "") : "";
    const sender = this.run.senders.get(name);
    const run = this.run as Run;
    switch (deed.kind) {
      case "commit": {
        const at = ++this.end;
        const answer = (): number => this.acknowledged.push(at);
        commitWaits(run, { lsn: at, answer, warn: () => undefined });
        return;
      }
      case "flush":
        if (sender === undefined) return;
        this.flushed.set(name, this.end);
        heardFrom(run, sender);
        return;
      case "hear":
        // The fourth is the checkpointer.
        if (sender !== undefined) sender.syncNames = this.run.syncNames;
        else if (name === "") this.#checkpointerHears();
        return;
      case "leaves":
        if (sender === undefined && name !== "") this.#connect(name);
        else this.run.senders.delete(name);
        return;
      case "want":
        this.wanted = deed.names;
        return;
      case "agent-dies":
        this.proven = undefined;
        return;
      case "round":
        for (const n of [0, 1, 2, 3]) this.do({ kind: "hear", who: n });
        this.do({ kind: "agent" });
        return;
      case "agent":
        this.#act(this.next());
        return;
      default:
        deed satisfies never;
    }
  }

  #checkpointerHears(): void {
    const { kind } = this.run.syncNames;
    this.run.makesWait = kind !== "nobody" && kind !== "unmanaged";
    if (this.run.makesWait) return;
    const waits = this.run.syncWaits;
    this.run.syncWaits = [];
    for (const wait of waits) wait.answer();
  }

  next(): SyncMove | undefined {
    const flushed: Record<string, Lsn> = {};
    for (const name of this.run.senders.keys()) flushed[name] = lsn(this.flushed.get(name) ?? 0);
    return nextSyncMove({
      me: "p",
      state: this.state,
      names: this.written,
      isShown: printSyncNames(this.written) === printSyncNames(this.run.syncNames),
      provenEnd: this.proven === undefined ? undefined : lsn(this.proven),
      flushed,
      wanted: this.wanted,
    });
  }

  #act(move: SyncMove | undefined): void {
    if (move === undefined) return;
    if (move.kind === "publish") this.state = move.state;
    if (move.kind === "set-names") {
      this.written = move.names;
      this.run.syncNames = move.names;
      const isOpening = move.names.kind === "first" || move.names.kind === "any";
      if (!isOpening) this.proven = undefined;
    }
    if (move.kind === "prove") this.proven = isGateClosed(this.run as Run) ? this.end : undefined;
  }

  /** A commit, and a permitted election that misses it. */
  lost(): string | undefined {
    const { state } = this;
    if (state === undefined || this.acknowledged.length === 0) return undefined;
    const newest = Math.max(...this.acknowledged);
    const lacking = state.standbys.filter((name) => (this.flushed.get(name) ?? 0) < newest);
    if (lacking.length <= state.quorum) return undefined;
    return `commit ${newest} is not on ${lacking.join(", ")}, who may elect with quorum ${state.quorum}`;
  }
}

const subset = fc.subarray([...STANDBYS], { minLength: 1 });
const names: fc.Arbitrary<SyncNames> = fc.oneof(
  fc.constantFrom<SyncNames>({ kind: "nobody" }, { kind: "closed" }),
  subset.map((members): SyncNames => ({ kind: "first", count: members.length, members })),
  subset.chain((members) =>
    fc
      .integer({ min: 1, max: members.length })
      .map((count): SyncNames => ({ kind: "any", count, members })),
  ),
);
const who = fc.integer({ min: 0, max: 3 });
const deed: fc.Arbitrary<Deed> = fc.oneof(
  { weight: 4, arbitrary: fc.constant<Deed>({ kind: "commit" }) },
  { weight: 4, arbitrary: who.map((n): Deed => ({ kind: "flush", who: n })) },
  { weight: 6, arbitrary: who.map((n): Deed => ({ kind: "hear", who: n })) },
  { weight: 8, arbitrary: fc.constant<Deed>({ kind: "agent" }) },
  { weight: 8, arbitrary: fc.constant<Deed>({ kind: "round" }) },
  { weight: 1, arbitrary: fc.constant<Deed>({ kind: "agent-dies" }) },
  { weight: 1, arbitrary: names.map((n): Deed => ({ kind: "want", names: n })) },
  { weight: 1, arbitrary: who.map((n): Deed => ({ kind: "leaves", who: n })) },
);

describe("the resolver", () => {
  it("never lets an election miss an acknowledged commit, however its moves are interrupted", () => {
    fc.assert(
      fc.property(fc.array(deed, { minLength: 10, maxLength: 120 }), (deeds) => {
        const stage = new Stage();
        for (const one of deeds) {
          stage.do(one);
          expect(stage.lost()).toBeUndefined();
        }
      }),
      { numRuns: 4_000 },
    );
  });

  it("comes to rest where it was sent, once everybody hears", () => {
    fc.assert(
      fc.property(fc.array(deed, { maxLength: 60 }), names, (deeds, goal) => {
        const stage = new Stage();
        for (const one of deeds) stage.do(one);
        for (const n of [0, 1, 2])
          if (!stage.run.senders.has(STANDBYS[n] ?? "")) stage.do({ kind: "leaves", who: n });
        stage.do({ kind: "want", names: goal });
        for (let round = 0; round < 12; round++) {
          for (const n of [0, 1, 2, 3]) stage.do({ kind: "hear", who: n });
          for (const n of [0, 1, 2]) stage.do({ kind: "flush", who: n });
          stage.do({ kind: "agent" });
        }
        expect(stage.next()).toBeUndefined();
        expect(stage.written).toEqual(goal);
      }),
      { numRuns: 500 },
    );
  });
});
