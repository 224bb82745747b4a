// What does an agent know of its drills and backups? The worker makes them; the agent sweeps after those that were killed, and
// tells numbers of drills.
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { readIfPresent } from "../adapters/system/durable-file.ts";
import { type DrillMemory, drillMemoryFile, parseDrillMemory } from "../model/drill-memory.ts";
import type { NodeSettings } from "../model/settings.ts";
import { drillRoot } from "../model/settings-drill.ts";
import { begunDir } from "../model/worker.ts";
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

/** What a killed backup has begun: this host knows whether its worker is dead, and no other does. */
export async function sweepAfterBackups(
  jobs: Pick<Jobs, "start">,
  { postgres, backup }: NodeSettings,
): Promise<void> {
  if (backup === undefined) return;
  const left = await readdir(begunDir(postgres.stateDir)).catch(() => []);
  if (left.length > 0) jobs.start("backup-sweep", {});
}

/** Read when somebody asks for numbers: a small file, and nothing that an idle agent does. */
export async function readDrills(stateDir: string): Promise<DrillMemory | undefined> {
  const text = await readIfPresent(join(stateDir, drillMemoryFile)).catch(() => undefined);
  return parseDrillMemory(text ?? "");
}
