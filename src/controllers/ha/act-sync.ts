// The steps of synchronous replication: names, proof, sync state, and the vote of a standby.
import type { ActOptions } from "./acting.ts";
import { GATE_PROOF_MS, WRITE_LIMIT_MS } from "./limits.ts";
import type { HaStep } from "./steps.ts";

const KINDS = ["set-sync-names", "prove-gate", "write-sync", "revoke"] as const;
type SyncStep = Extract<HaStep, { kind: (typeof KINDS)[number] }>;

export const isSyncStep = (step: HaStep): step is SyncStep =>
  KINDS.some((kind) => kind === step.kind);

export function actOnSync(o: ActOptions, step: SyncStep, signal: AbortSignal): Promise<unknown> {
  switch (step.kind) {
    case "set-sync-names":
      return o.postgres.setSyncNames(step.names, signal);
    case "prove-gate":
      return o.postgres.proveClosed(GATE_PROOF_MS, signal);
    case "write-sync":
      return o.dcs.writeSync(step.term, step.state, step.revision, WRITE_LIMIT_MS);
    case "revoke":
      return revoke(o, step.term, signal);
    default:
      return step satisfies never;
  }
}

/** R22: whoever counts this member's position may rely on it that nothing is added to it behind its back. */
async function revoke(o: ActOptions, term: number, signal: AbortSignal): Promise<void> {
  const promisedTerm = Math.max(term, o.state.current().promisedTerm ?? 0);
  await o.state.update({ promisedTerm });
  await o.postgres.follow(undefined, signal);
}
