// A small agent of its own process, for the tests of the fence to kill and to stop.
import { createFence, type FenceOptions } from "../../src/adapters/fence/client.ts";
import { createClock } from "../../src/adapters/system/clock.ts";
import { after } from "../../src/model/time.ts";
import type { ServerCommand } from "../../src/ports/fence.ts";
import type { Log } from "../../src/ports/log.ts";

export interface Plan {
  readonly options: Omit<FenceOptions, "clock" | "log">;
  readonly term: number;
  readonly armMs: number;
  readonly command: ServerCommand;
}

const silent: Log = {
  error: () => undefined,
  warn: () => undefined,
  info: () => undefined,
  debug: () => undefined,
};
const plan = JSON.parse(process.argv[2] ?? "") as Plan;
const clock = createClock();
const { signal } = new AbortController();
const fence = createFence({ ...plan.options, clock, log: silent });
await fence.ensure(signal);
await fence.adopt("4711", signal);
if (fence.status().serverPid === undefined) await fence.startServer(plan.command, signal);
await fence.arm(plan.term, after(clock.now(), plan.armMs), signal);
process.stdout.write("armed\n");
// Stays until it is ended; it never arms again, as a stalled agent would not.
setInterval(() => undefined, 1000);
