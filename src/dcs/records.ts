// How are the facts written that only the leader may write, and the wishes that anybody may?
//
// A leader that was deposed without knowing it must not overwrite its successor's facts, so each of its
// writes compares the term (R13). Wishes compare the revision that the person or program had seen.
import {
  printFailover,
  printHistory,
  printLineage,
  printRoster,
  printStatus,
  printSync,
  printUnguarded,
} from "../model/wire/dcs.ts";
import type { Dcs, WriteOutcome } from "../ports/dcs.ts";
import type { Compare, Store, Write } from "../ports/store.ts";
import type { Keys } from "./keys.ts";
import type { Terms } from "./terms.ts";

type Records = Pick<
  Dcs,
  | "reserveBranch"
  | "writeStatus"
  | "writeSync"
  | "writeHistory"
  | "writeRoster"
  | "writeUnguarded"
  | "clearUnguarded"
  | "writeFailover"
  | "writeConfig"
>;

export function records(store: Store, keys: Keys, terms: Terms): Records {
  const leading = (term: number): Compare => terms.isOf(keys, term);
  const at = (key: string, revision: number): Compare => ({
    key,
    target: "mod",
    equals: revision,
  });
  const put = (key: string, value: string): Write => ({ kind: "put", key, value });

  async function write(
    compares: readonly Compare[],
    change: Write,
    timeoutMs: number,
  ): Promise<WriteOutcome> {
    const answer = await store.commit(compares, [change], { timeoutMs });
    return answer.succeeded ? "written" : "refused";
  }

  return {
    // oxlint-disable-next-line eslint/max-params -- the port's own shape
    reserveBranch: (term, branches, revision, timeoutMs) =>
      write(
        [leading(term), at(keys.lineage, revision)],
        put(keys.lineage, printLineage(branches)),
        timeoutMs,
      ),
    writeStatus: (term, status, timeoutMs) =>
      write([leading(term)], put(keys.status, printStatus(status)), timeoutMs),
    writeHistory: (term, rows, timeoutMs) =>
      write([leading(term)], put(keys.history, printHistory(rows)), timeoutMs),
    // oxlint-disable-next-line eslint/max-params -- the port's own shape
    async writeRoster(term, roster, revision, timeoutMs) {
      const text = printRoster(roster);
      const answer = await store.commit(
        [leading(term), at(keys.known, revision)],
        [put(keys.known, text), put(keys.failsafe, text)],
        { timeoutMs },
      );
      return answer.succeeded ? "written" : "refused";
    },
    writeSync: (term, state, revision, timeoutMs) =>
      write(
        [leading(term), at(keys.sync, revision)],
        state === undefined ? { kind: "delete", key: keys.sync } : put(keys.sync, printSync(state)),
        timeoutMs,
      ),
    // oxlint-disable-next-line eslint/max-params -- the port's own shape
    writeUnguarded: (term, record, revision, timeoutMs) =>
      write(
        [leading(term), at(keys.unguarded, revision)],
        put(keys.unguarded, printUnguarded(record)),
        timeoutMs,
      ),
    clearUnguarded: (revision, timeoutMs) =>
      write([at(keys.unguarded, revision)], { kind: "delete", key: keys.unguarded }, timeoutMs),
    writeFailover: (intent, revision, timeoutMs) =>
      write(
        [at(keys.failover, revision)],
        intent === undefined
          ? { kind: "delete", key: keys.failover }
          : put(keys.failover, printFailover(intent)),
        timeoutMs,
      ),
    writeConfig: (json, revision, timeoutMs) =>
      write([at(keys.config, revision)], put(keys.config, json), timeoutMs),
  };
}
