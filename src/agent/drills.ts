// Did a drill leave something behind when it was killed? Looked for once, when an agent starts.
import { readdir } from "node:fs/promises";
import type { NodeSettings } from "../model/settings.ts";
import { drillRoot } from "../model/settings-drill.ts";
import type { Jobs } from "./jobs.ts";

/** The worker removes it: only the server's user may, and only what is a drill's own. */
export async function sweepAfterDrills(
  jobs: Jobs,
  { postgres, backup }: NodeSettings,
): Promise<void> {
  if (backup === undefined) return;
  const left = await readdir(drillRoot(postgres.stateDir, backup.drill)).catch(() => []);
  if (left.length > 0) jobs.start("drill-sweep", {});
}
