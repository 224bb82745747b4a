// Does this node measure availability? Only if its file says so.
import { createProber } from "../../adapters/prober/prober.ts";
import type { AgentSettings } from "../../model/settings.ts";
import type { SharedPorts } from "../compose-shared.ts";
import { AvailabilityWatch, type WatchOptions } from "./watch.ts";

/** Put together but not started; undefined where nobody asked for it. */
export function openAvailability(
  { availability, name }: AgentSettings,
  stateDir: string,
  { clock, log, tell }: Pick<SharedPorts, "clock" | "log"> & Pick<WatchOptions, "tell">,
): AvailabilityWatch | undefined {
  if (availability === undefined) return undefined;
  return new AvailabilityWatch({
    settings: availability,
    stateDir,
    clock,
    log,
    tell,
    proberOf: (path) => createProber(availability, path, name),
  });
}
