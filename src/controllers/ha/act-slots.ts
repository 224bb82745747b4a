// How is the WAL kept that others need? The steps that touch replication slots.
import { AppError } from "../../model/error.ts";
import type { ActOptions } from "./acting.ts";
import { STOP_STANDBY_MS } from "./limits.ts";
import type { HaStep } from "./steps.ts";

const KINDS = [
  "sync-slots",
  "create-logical-slots",
  "drop-slot",
  "advance-copies",
  "compare-slots",
  "copy-slots",
  "drop-copies",
] as const;
type SlotStep = Extract<HaStep, { kind: (typeof KINDS)[number] }>;

export const isSlotStep = <S extends HaStep>(step: S): step is Extract<S, SlotStep> =>
  KINDS.some((kind) => kind === step.kind);

export function actOnSlots(o: ActOptions, step: SlotStep, signal: AbortSignal): Promise<unknown> {
  switch (step.kind) {
    case "sync-slots":
      return o.postgres.syncSlots(step.create, step.drop, step.positions, signal);
    case "create-logical-slots":
      return o.postgres.createLogicalSlots(step.slots, signal);
    case "drop-slot":
      return o.postgres.dropSlot(step.name, signal);
    case "advance-copies":
      return o.postgres.advanceCopies(step.moves, signal);
    case "compare-slots":
      return o.postgres.catalogHorizons(step.from, step.ownSlot, signal);
    case "copy-slots":
      return copySlots(o, step, signal);
    case "drop-copies":
      return dropCopies(o, step.names, signal);
    default:
      return step satisfies never;
  }
}

/**
 * Read before the server is stopped: what the leader does not give costs no restart. A leader that has lost the slot has
 * nothing to give for as long as it leads, so that is a failure, which is not repeated soon.
 */
async function copySlots(
  o: ActOptions,
  step: Extract<SlotStep, { kind: "copy-slots" }>,
  signal: AbortSignal,
): Promise<void> {
  const copies = await o.postgres.readSlots(step.from, step.names, signal);
  if (copies.length === 0) {
    const [attempt, why] = ["copying logical slots", `${step.from.member} has none of them`];
    throw new AppError("NOT_POSSIBLE", attempt, why);
  }
  await o.postgres.stop(STOP_STANDBY_MS, undefined, signal);
  await o.postgres.placeSlots(copies, signal);
  await o.postgres.startStandby(step.plan, step.upstream, step.timeoutMs, signal);
}

async function dropCopies(
  o: ActOptions,
  names: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  for (const name of names) await o.postgres.dropSlot(name, signal);
}
