// May a server be started on this directory from here (R45)?
import { readFile } from "node:fs/promises";
import { createConnection } from "node:net";
import { join } from "node:path";
import { AppError } from "../../model/error.ts";
import {
  judgeHostIdentity,
  readHostIdentity,
  readRecordedIdentity,
  recordIdentity,
} from "../system/host-identity.ts";
import { isCleanlyDown, readControlFile } from "./control-data.ts";
import { isAbsent } from "./files.ts";
import type { Place } from "./place.ts";
import { socketPath } from "./process.ts";

const DIAL_LIMIT_MS = 1000;

/**
 * Pids and shared memory of another host or container cannot be seen from here, so "no process" proves nothing
 * there. A clean shutdown in the control file does: whoever starts a server overwrites it first.
 */
export async function checkHost(place: Place): Promise<void> {
  const current = readHostIdentity();
  const verdict = judgeHostIdentity(await readRecordedIdentity(place.stateDir), current);
  const isClean = isCleanlyDown((await readControlFile(place.dataDir))?.state ?? "shut down");
  const attempt = `using ${place.dataDir}`;
  if (verdict === "other-host" && !isClean) {
    const why = "it was last used on another host and was not shut down there";
    throw new AppError("HOST_CHANGED", attempt, why);
  }
  if (verdict === "other-namespaces" && !isClean && (await answers(place))) {
    const why = "a server from another container still answers on its address";
    throw new AppError("HOST_CHANGED", attempt, why);
  }
  if (verdict !== "same") await recordIdentity(place.stateDir, current);
}

async function answers(place: Place): Promise<boolean> {
  const { port, connectAddress } = place.settings.postgres;
  const text = await readFile(join(place.dataDir, "postmaster.pid"), "utf8").catch(isAbsent);
  const host = text?.split("\n")[5]?.trim().replace("*", "") || connectAddress.host;
  const dials = [dial({ path: socketPath(place) }), dial({ host, port })];
  return (await Promise.all(dials)).includes(true);
}

function dial(to: { path: string } | { host: string; port: number }): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(to);
    const finish = (isAnswered: boolean): void => {
      clearTimeout(limit);
      socket.destroy();
      resolve(isAnswered);
    };
    const limit = setTimeout(() => finish(true), DIAL_LIMIT_MS);
    socket.once("connect", () => finish(true));
    socket.once("error", () => finish(false));
  });
}
