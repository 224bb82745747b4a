// How does the server come up, and why did it not?
import { open } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { AppError } from "../../model/error.ts";
import { after, type Ms } from "../../model/time.ts";
import type { ServerPlan, Upstream } from "../../ports/postgres.ts";
import { readIfPresent, removeDurably, writeDurably } from "../system/durable-file.ts";
import { readProcess } from "../system/process-list.ts";
import { readPostmasterFile } from "../system/shared-memory.ts";
import { commandLineDifferences } from "./command-line.ts";
import { areStale, cleanAutoConfig, writeConfigFiles, writeUpstream } from "./config.ts";
import { readControlFile } from "./control-data.ts";
import { checkOwner, directoryState, isDiskFull, signalPath } from "./directory.ts";
import { removeDeadEnds } from "./history.ts";
import { checkHost } from "./host.ts";
import { holdBack, type Settled } from "./parameters.ts";
import type { Place } from "./place.ts";
import { isDown } from "./process.ts";
import { checkVersion, findProgram } from "./programs.ts";
import { localTarget, withSession } from "./session.ts";
import {
  checkParameters,
  commandLine,
  prepareSurroundings,
  renderFiles,
  settle,
  walreceiverConnection,
} from "./settle.ts";

const READY_POLL_MS: Ms = 10;
const CONNECT_LIMIT_MS: Ms = 2000;
/** The status file speaks first; a server that does not write it is tried anyway now and then. */
const TRY_ANYWAY_EVERY = 50;
const SHOWN_LOG_LINES = 6;
const SHOWN_LOG_BYTES = 16 * 1024;

export type StartAs =
  | { readonly role: "primary" }
  | { readonly role: "standby"; readonly upstream: Upstream | undefined };

export interface StartOptions {
  readonly plan: ServerPlan;
  readonly as: StartAs;
  readonly timeoutMs: Ms;
  readonly signal: AbortSignal;
}

/** Starts the server through the fence and waits until it answers in its role. */
export async function startServer(place: Place, options: StartOptions): Promise<void> {
  await checkDirectory(place);
  const settled = await prepare(place, options);
  await checkAddresses(place);
  const logFrom = await logLength(place);
  // Pids are used again: what ended before this moment was another server.
  place.exits.clear();
  const { pid } = await place.fence.startServer(
    {
      program: await findProgram(place, "postgres"),
      args: commandLine(place, settled),
      dataDir: place.dataDir,
      environment: { LC_MESSAGES: "C", PGDATA: place.dataDir },
      logFile: place.logFile,
    },
    options.signal,
  );
  try {
    await untilReady(place, options, () => place.exits.has(pid));
  } catch (error) {
    throw await explain(place, error, logFrom);
  }
}

async function checkDirectory(place: Place): Promise<void> {
  const attempt = `starting the server in ${place.dataDir}`;
  const state = await directoryState(place);
  if (state === "marked") {
    throw new AppError("NOT_POSSIBLE", attempt, "a rebuild was interrupted and must be done again");
  }
  if (state !== "data") throw new AppError("PG_DATA_FOREIGN", attempt, `the directory is ${state}`);
  await checkOwner(place);
  await checkVersion(place);
  await checkHost(place);
  if (!isDown(place.dataDir)) {
    throw new AppError("NOT_POSSIBLE", attempt, "processes of a server are still there");
  }
  await removeStalePid(place);
}

/**
 * The pid of a dead server may belong to somebody else by now, above all in a container, where pids are small; the
 * server would take that process for a postmaster and refuse to start. That it is none has just been proven.
 */
async function removeStalePid({ dataDir, log }: Place): Promise<void> {
  const pid = readPostmasterFile(dataDir)?.pid;
  if (pid === undefined || readProcess(pid) === undefined) return;
  log.info("the pid of the dead server belongs to another process now", { pid });
  await removeDurably(join(dataDir, "postmaster.pid"));
}

/** Everything on disk is as it must be before the first process exists (R16, R17). */
async function prepare(place: Place, { plan, as, signal }: StartOptions): Promise<Settled> {
  const { dataDir, user } = place;
  await prepareSurroundings(place);
  const control = await readControlFile(dataDir);
  const wanted = await settle(place, plan);
  const settled =
    as.role === "standby" && control !== undefined ? holdBack(wanted, control.limits) : wanted;
  await writeRole(place, as);
  const files = renderFiles(place, plan, settled);
  const isTried =
    !(await areStale(dataDir, files)) &&
    (await commandLineDifferences(dataDir, settled)).length === 0;
  // After a crash every moment counts, and what has run before needs no second opinion.
  if (!isTried) await checkParameters(place, settled, signal);
  await writeConfigFiles(dataDir, files, user);
  const removed = await cleanAutoConfig(dataDir, user);
  if (removed.length > 0) {
    place.log.warn("parameters set by ALTER SYSTEM that the agent owns were removed", { removed });
  }
  if (control !== undefined) {
    await removeDeadEnds(dataDir, Math.max(control.timeline, control.minRecoveryTimeline));
  }
  return settled;
}

async function writeRole({ dataDir, user, ...place }: Place, as: StartAs): Promise<void> {
  const owner = { owner: user };
  if (as.role === "standby") {
    await writeDurably(signalPath(dataDir), "", owner);
    await removeDurably(join(dataDir, "recovery.signal"));
    const { upstream } = as;
    const connection = upstream && walreceiverConnection({ dataDir, user, ...place }, upstream);
    await writeUpstream(dataDir, { connection, slot: upstream?.slot }, user);
    return;
  }
  await writeUpstream(dataDir, { connection: undefined, slot: undefined }, user);
  await removeDurably(join(dataDir, "recovery.signal"));
  await removeDurably(signalPath(dataDir));
}

/** The server would say so in words only; asking the kernel first gives a code. */
export async function checkAddresses({ settings }: Place): Promise<void> {
  const { listen, port } = settings.postgres;
  for (const host of listen) await checkAddress(host, port);
}

function checkAddress(host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => {
      // Anything else (a name that does not resolve) is the server's to report.
      if (error.code !== "EADDRINUSE") resolve();
      else reject(new AppError("PORT_IN_USE", `listening on ${host}:${port}`, "", error));
    });
    const address = host === "*" ? { port } : { host, port };
    server.listen({ ...address, exclusive: true }, () => server.close(() => resolve()));
  });
}

async function untilReady(
  place: Place,
  { as, timeoutMs, signal }: StartOptions,
  hasExited: () => boolean,
): Promise<void> {
  const { clock, dataDir } = place;
  const attempt = `starting the server as a ${as.role}`;
  const limit = after(clock.now(), timeoutMs);
  for (let round = 0; ; round++) {
    signal.throwIfAborted();
    if (hasExited()) throw new AppError("PG_START_FAILED", attempt, "the server ended");
    if (clock.now() >= limit) {
      throw new AppError("PG_START_TIMEOUT", attempt, `limit ${timeoutMs} ms`);
    }
    const isWorthTrying =
      (await statusLine(dataDir)) === "ready" || round % TRY_ANYWAY_EVERY === 49;
    if (isWorthTrying && (await isReady(place, as))) return;
    await clock.sleep(READY_POLL_MS, signal);
  }
}

/** The eighth line of postmaster.pid: starting, stopping, standby (not yet open) or ready. */
async function statusLine(dataDir: string): Promise<string | undefined> {
  const text = await readIfPresent(join(dataDir, "postmaster.pid"));
  return text?.split("\n")[7]?.trim();
}

async function isReady({ settings }: Place, as: StartAs): Promise<boolean> {
  try {
    return await withSession(localTarget(settings.postgres), CONNECT_LIMIT_MS, async (session) => {
      const statement = "SELECT pg_is_in_recovery() AS standby";
      const [row] = await session.query(statement, [], CONNECT_LIMIT_MS);
      return as.role === "standby" || row?.["standby"] === false;
    });
  } catch {
    return false;
  }
}

async function explain(place: Place, error: unknown, logFrom: number): Promise<unknown> {
  if (!(error instanceof AppError) || !error.code.startsWith("PG_START")) return error;
  const words = await logSince(place, logFrom);
  const isFull = error.code === "PG_START_FAILED" && (await isDiskFull(place.dataDir));
  const code = isFull ? "PG_DISK_FULL" : error.code;
  if (error.code === "PG_START_FAILED") await checkAddresses(place);
  return new AppError(code, error.attempt, `${error.why}; ${words}`, error);
}

async function logLength({ logFile }: Place): Promise<number> {
  await using file = await open(logFile, "r");
  return (await file.stat()).size;
}

async function logSince({ logFile }: Place, from: number): Promise<string> {
  await using file = await open(logFile, "r");
  const { size } = await file.stat();
  const start = Math.max(from, size - SHOWN_LOG_BYTES, 0);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(SHOWN_LOG_BYTES), { position: start });
  const lines = buffer.toString("utf8", 0, bytesRead).trim().split("\n");
  return lines.slice(-SHOWN_LOG_LINES).join(" | ");
}
