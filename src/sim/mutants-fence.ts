// Lies about the fence.
import { STOP_MARGIN_MS } from "../model/lease.ts";
import { after } from "../model/time.ts";
import type { NodePorts } from "../node/node.ts";
import type { Fence } from "../ports/fence.ts";

/** A fence with some calls replaced; the rest goes to the real one. */
export function fenceWith(fence: Fence, change: Partial<Fence>): Fence {
  return {
    status: () => fence.status(),
    ensure: (signal) => fence.ensure(signal),
    adopt: (leaseId, signal) => fence.adopt(leaseId, signal),
    arm: (term, until, signal) => fence.arm(term, until, signal),
    disarm: (signal) => fence.disarm(signal),
    unguard: (term, signal) => fence.unguard(term, signal),
    startServer: (command, signal) => fence.startServer(command, signal),
    killServer: (graceMs, timeoutMs, signal) => fence.killServer(graceMs, timeoutMs, signal),
    onEvent: (listener) => fence.onEvent(listener),
    ...change,
  };
}

/** Margin zero: the deadline is the very end of what rivals wait for. */
export function armsLate(ports: NodePorts): NodePorts {
  const { fence } = ports;
  return {
    ...ports,
    fence: fenceWith(fence, {
      arm: (term, until, signal) => fence.arm(term, after(until, STOP_MARGIN_MS), signal),
    }),
  };
}

/** Promote before arm: the first arming of a term is claimed, not done. */
export function forgetsFirstArm(ports: NodePorts): NodePorts {
  const { fence, clock } = ports;
  let claimed: { readonly term: number; readonly until: number } | undefined;
  return {
    ...ports,
    fence: fenceWith(fence, {
      async arm(term, until, signal) {
        const isFirst = claimed?.term !== term;
        claimed = { term, until };
        if (isFirst) await clock.sleep(1);
        else await fence.arm(term, until, signal);
      },
      status() {
        const status = fence.status();
        const armed =
          claimed === undefined
            ? status.armed
            : { term: claimed.term, until: after(clock.now(), claimed.until - clock.now()) };
        return { ...status, armed };
      },
    }),
  };
}

/** Any watchdog will do: one that has failed is reported as ready. */
export function trustsAnyWatchdog(ports: NodePorts): NodePorts {
  const { fence } = ports;
  return {
    ...ports,
    fence: fenceWith(fence, { status: () => ({ ...fence.status(), watchdog: "off" }) }),
  };
}
