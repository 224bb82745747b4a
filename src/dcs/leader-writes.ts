// What does each change of the leadership compare and write?
//
// Who leads is a matter of lease id and term, never of the name alone (R10). `hold` changes in the same
// transaction as the leader key, so a rival who watches `hold` sees every sign of life (R5 to R8).
import type { Release } from "../model/cluster.ts";
import { printHold } from "../model/wire/dcs.ts";
import type { Holder } from "../ports/dcs.ts";
import type { Compare, Write } from "../ports/store.ts";
import type { Keys } from "./keys.ts";

export const unchanged = (key: string, revision: number): Compare => ({
  key,
  target: "mod",
  equals: revision,
});

/** The leader key is the one of this term, hangs on our lease and bears our name. */
export const isMine = (keys: Keys, ofTerm: Compare, holder: Holder): readonly Compare[] => [
  ofTerm,
  { key: keys.leader, target: "lease", equals: holder.leaseId },
  { key: keys.leader, target: "value", equals: holder.name },
];

interface Sign {
  readonly term: number;
  readonly seq: number;
  readonly released?: Release;
}

export const putHold = (keys: Keys, { name, holdMs }: Holder, sign: Sign): Write => ({
  kind: "put",
  key: keys.hold,
  value: printHold({ holder: name, holdMs, released: undefined, ...sign }),
});
