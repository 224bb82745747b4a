// Can a server run here at all, or must a person put something right first? Asked once, before the agent begins.
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "../../model/error.ts";
import type { ServerPlan } from "../../ports/postgres.ts";
import { asFileError } from "../system/durable-file.ts";
import { checkOwner, directoryState } from "./directory.ts";
import { checkHost } from "./host.ts";
import type { Place } from "./place.ts";
import { isDown } from "./process.ts";
import { checkVersion, findProgram } from "./programs.ts";
import { settle } from "./settle.ts";
import { checkAddresses } from "./start.ts";

/**
 * Throws the first thing that keeps every server from running in this place. One that runs already is adopted, not
 * judged: an agent that comes back must find its way to it whatever has changed around it.
 */
export async function checkGround(place: Place, plan: ServerPlan): Promise<void> {
  await checkStateDir(place);
  if (!isDown(place.dataDir)) return;
  await settle(place, plan);
  const state = await directoryState(place);
  if (state === "foreign") {
    const why = `${place.dataDir} is not empty and holds no cluster`;
    throw new AppError("PG_DATA_FOREIGN", `using ${place.dataDir}`, why);
  }
  if (state === "data") {
    await checkOwner(place);
    await checkVersion(place);
    await checkHost(place);
  } else {
    await findProgram(place, "postgres");
  }
  await checkAddresses(place);
}

/** A full disk is survived (R43); a directory that can never be written is not. */
async function checkStateDir({ stateDir }: Place): Promise<void> {
  const probe = join(stateDir, `.probe-${process.pid}`);
  try {
    await mkdir(stateDir, { recursive: true, mode: 0o700 });
    await writeFile(probe, "");
    await rm(probe);
  } catch (error) {
    const failure = asFileError(error, `writing to ${stateDir}`);
    if (failure.code === "PG_DISK_FULL") return;
    throw new AppError("STATE_NOT_WRITABLE", `using ${stateDir}`, failure.why, error);
  }
}
