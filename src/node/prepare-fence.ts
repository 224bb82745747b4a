// How does a node get its fence when it begins?
import type { Ms } from "../model/time.ts";
import type { NodePorts } from "./node.ts";

const FENCE_START_MS: Ms = 10_000;

/** A fence that cannot be started now is tried again by every tick; nothing is opened to writes without it. */
export async function prepareFence(
  { clock, fence, log }: NodePorts,
  leaseId: string,
): Promise<void> {
  using limit = clock.deadline(FENCE_START_MS);
  try {
    await fence.ensure(limit.signal);
    await fence.adopt(leaseId, limit.signal);
  } catch (error) {
    log.error("the fence could not be started", { error: String(error) });
  }
}
