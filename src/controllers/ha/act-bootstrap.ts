// How is a cluster begun? The verbs of R41.
import { AppError } from "../../model/error.ts";
import type { Progress } from "../../ports/postgres.ts";
import type { ActOptions } from "./acting.ts";
import { WRITE_LIMIT_MS } from "./limits.ts";
import type { HaChange } from "./steps.ts";

type BootstrapStep = Extract<
  HaChange,
  {
    kind:
      | "claim-bootstrap"
      | "initialise"
      | "copy-site"
      | "finish-bootstrap"
      | "end-bootstrap"
      | "discard-bootstrap";
  }
>;

export async function actOnBootstrap(
  o: ActOptions,
  step: BootstrapStep,
  onProgress: (progress: Progress) => void,
  signal: AbortSignal,
): Promise<unknown> {
  const { leaseId } = o.lease.view();
  switch (step.kind) {
    case "claim-bootstrap":
      return o.dcs.claimBootstrap(o.name, leaseId, WRITE_LIMIT_MS);
    case "initialise":
      // Durable before the first byte: after a crash this directory is half a bootstrap and nothing else.
      await o.state.update({ bootstrapping: true });
      return o.postgres.initialise(step.plan, onProgress, signal);
    case "copy-site":
      await o.state.update({ bootstrapping: true });
      return o.postgres.clone(step.from, step.lineage, onProgress, signal);
    case "finish-bootstrap": {
      if (!step.isCopy) await o.postgres.finishBootstrap(signal);
      const written = await o.dcs.finishBootstrap(
        o.name,
        leaseId,
        step.systemId,
        { configJson: o.firstConfigJson, branches: step.branches },
        WRITE_LIMIT_MS,
      );
      if (written === "refused")
        throw new AppError("NOT_POSSIBLE", "record the new cluster", "the claim is gone");
      return written;
    }
    case "end-bootstrap":
      return o.state.update({ bootstrapping: false });
    case "discard-bootstrap":
      await o.postgres.discardHalfBootstrap(signal);
      return o.state.update({ bootstrapping: false });
    default:
      return step satisfies never;
  }
}
