// From a plan to the files and the command line of this node's server.
import { chown, rename, stat } from "node:fs/promises";
import { platform, release } from "node:os";
import { join } from "node:path";
import { AppError } from "../../model/error.ts";
import type { ServerPlan, Upstream } from "../../ports/postgres.ts";
import { writeDurably } from "../system/durable-file.ts";
import { run } from "../system/spawn.ts";
import type { ConfigFiles } from "./config.ts";
import { renderConfig } from "./config.ts";
import {
  type Conninfo,
  connectionTo,
  renderPassFile,
  renderServiceFile,
  withKeyPassword,
} from "./conninfo.ts";
import { diskSpace } from "./directory.ts";
import { ensureDirectory, exists, isAbsent, letThrough } from "./files.ts";
import { renderHba, renderIdent } from "./hba.ts";
import { type NodeFacts, type Settled, settleParameters } from "./parameters.ts";
import type { Place } from "./place.ts";
import { findProgram, lastWords } from "./programs.ts";

/** The server's log is set aside at a start when it has grown beyond this. */
const LOG_LIMIT_BYTES = 32 * 1024 * 1024;
const CHECK_LIMIT_MS = 20_000;
/** The kernel's limit for the name of a Unix socket. */
const SOCKET_NAME_LIMIT = 107;

export async function settle(place: Place, plan: ServerPlan): Promise<Settled> {
  return settleParameters(plan, await factsOf(place));
}

/** `syncfs` says so when an earlier write of the file system has failed, from Linux 5.8 on (its manual page). */
export function tellsErrors(kernel: string): boolean {
  const [major = 0, minor = 0] = kernel.split(".").map((part) => Number.parseInt(part, 10));
  return platform() === "linux" && (major > 5 || (major === 5 && minor >= 8));
}

async function factsOf({ settings, dataDir }: Place): Promise<NodeFacts> {
  const { listen, port, socketDir } = settings.postgres;
  const diskBytes = (await diskSpace(dataDir))?.total;
  return {
    listen,
    port,
    socketDir,
    clusterName: settings.scope,
    dataDir,
    diskBytes,
    syncfsTellsErrors: tellsErrors(release()),
  };
}

export function renderFiles(place: Place, plan: ServerPlan, settled: Settled): ConfigFiles {
  const settings = place.settings.postgres;
  const osNames = localNames(place);
  return {
    config: renderConfig(settled.file, settings.baseConfig),
    hba: renderHba({ settings, osNames, lines: plan.pgHba }),
    ident: renderIdent({ settings, osNames, lines: plan.pgIdent }),
  };
}

/** The users that the kernel may vouch for on the local socket: the agent's and the server's. */
function localNames({ user }: Place): readonly string[] {
  const own = process.geteuid?.() === 0 ? "root" : (process.env["USER"] ?? "");
  return [...new Set([own, user?.name ?? own])].filter((name) => name !== "");
}

/** Directories, pass file and log: everything beside the data that a server needs to start. */
export async function prepareSurroundings(place: Place): Promise<void> {
  const { stateDir, serverDir, user, passFile, serviceFile, logFile, settings } = place;
  const { socketDir, port } = settings.postgres;
  await ensureDirectory(stateDir, undefined, 0o700);
  await letThrough(stateDir, user);
  await ensureDirectory(serverDir, user, 0o700);
  const socket = join(socketDir, `.s.PGSQL.${port}`);
  if (Buffer.byteLength(socket) > SOCKET_NAME_LIMIT) {
    const why = `${socket} is longer than ${SOCKET_NAME_LIMIT} bytes: name a shorter socket directory`;
    throw new AppError("CONFIG_INVALID", "preparing the server's socket", why);
  }
  await ensureDirectory(socketDir, user, 0o755);
  await writeDurably(passFile, renderPassFile(settings.postgres), { owner: user });
  await writeDurably(serviceFile, renderServiceFile(settings.postgres), { owner: user });
  const log = await stat(logFile).catch(isAbsent);
  if (log !== undefined && log.size > LOG_LIMIT_BYTES) await rename(logFile, `${logFile}.1`);
  if (!(await exists(logFile))) await writeDurably(logFile, "", { owner: user });
  else if (user !== undefined) await chown(logFile, user.uid, user.gid);
}

/**
 * How a standby of ours speaks to its upstream. Another site must never take us for a member of its own: commits there may
 * wait for a name that one of ours bears too.
 */
export const replicationConnection = (
  { settings, passFile }: Place,
  upstream: Upstream,
): Conninfo =>
  connectionTo({
    address: upstream,
    login: settings.postgres.replication,
    applicationName:
      upstream.isOtherSite === true ? `${settings.scope}.${settings.name}` : settings.name,
    passFile,
  });

/** The same as it stands in the file of a standby's server. */
export const walreceiverConnection = (place: Place, upstream: Upstream): Conninfo =>
  withKeyPassword(replicationConnection(place, upstream), place.settings.postgres.replication);

export const commandLine = (place: Place, settled: Settled): readonly string[] => [
  "-D",
  place.dataDir,
  ...Object.entries(settled.commandLine).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
];

/**
 * Has the server itself judge the parameters, before they replace the ones it can start with: asked for one value it
 * reads the whole configuration and ends.
 */
export async function checkParameters(
  place: Place,
  settled: Settled,
  signal: AbortSignal,
): Promise<void> {
  const draft = join(place.dataDir, "postgresql.check.conf");
  const base = join(place.dataDir, "postgresql.base.conf");
  if (!(await exists(base))) await writeDurably(base, "", { owner: place.user });
  const text = renderConfig(settled.file, place.settings.postgres.baseConfig);
  await writeDurably(draft, text, { owner: place.user });
  const { code, stderr } = await run({
    program: await findProgram(place, "postgres"),
    args: [...commandLine(place, settled), "-c", `config_file=${draft}`, "-C", "port"],
    timeoutMs: CHECK_LIMIT_MS,
    user: place.user,
    signal,
  });
  if (code === 0) return;
  throw new AppError("PG_PARAMETER_REFUSED", "checking the parameters", lastWords(stderr, 2));
}
