// How does a pause let a primary go, and how does it take it back? (R30)
import type { ActOptions } from "./acting.ts";
import { WRITE_LIMIT_MS } from "./limits.ts";
import type { HaStep } from "./steps.ts";

const KINDS = ["record-unguarded", "unguard", "guard", "clear-unguarded"] as const;

type PauseStep = Extract<HaStep, { readonly kind: (typeof KINDS)[number] }>;

export const isPauseStep = (step: HaStep): step is PauseStep =>
  KINDS.some((kind) => kind === step.kind);

export async function actOnPause(
  o: ActOptions,
  step: PauseStep,
  signal: AbortSignal,
): Promise<unknown> {
  switch (step.kind) {
    case "record-unguarded":
      return o.dcs.writeUnguarded(step.term, step.record, step.revision, WRITE_LIMIT_MS);
    case "unguard":
      return o.fence.unguard(step.term, signal);
    case "guard":
      return o.lease.guard();
    case "clear-unguarded":
      return o.dcs.clearUnguarded(step.revision, WRITE_LIMIT_MS);
    default:
      return step satisfies never;
  }
}
