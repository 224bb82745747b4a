// How does the server go down without losing a byte, and without waiting for those who are silent (R26, R36)?
import { AppError } from "../../model/error.ts";
import type { Lsn } from "../../model/lsn.ts";
import { after, between, type Instant, type Ms } from "../../model/time.ts";
import { type ControlFile, isCleanlyDown, readControlFile } from "./control-data.ts";
import { tellBeforeStop } from "./own-hooks.ts";
import type { Place } from "./place.ts";
import { findPostmaster, isDown, type Postmaster, signalPostmaster } from "./process.ts";
import { readCheckpointEnd } from "./wal-files.ts";

const POLL_MS: Ms = 5;
/** What walsenders that answer need, once the last record is written, when nobody waits for an heir. */
const FAREWELL_MS: Ms = 1000;
const KILL_GRACE_MS: Ms = 300;
const KILL_LIMIT_MS: Ms = 10_000;

export interface StopOptions {
  readonly timeoutMs: Ms;
  readonly onShutdown: ((end: Lsn) => Promise<void>) | undefined;
  readonly signal: AbortSignal;
}

/**
 * A fast stop ends every client's session at once and takes no new ones, so no write begins after it; then the server
 * writes its last checkpoint and says "shut down". From there on nothing but walsenders is left, and a SIGQUIT is
 * harmless. When time runs out earlier, the fence ends everything, which loses nothing acknowledged either, but
 * leaves a server that must recover.
 */
export async function stopServer(place: Place, options: StopOptions): Promise<void> {
  const postmaster = findPostmaster(place.dataDir);
  if (postmaster === undefined) {
    if (!isDown(place.dataDir)) await kill(place, "no postmaster, but processes remain");
    return;
  }
  const limit = after(place.clock.now(), options.timeoutMs);
  await tellBeforeStop(place, options.timeoutMs);
  signalPostmaster(postmaster, "SIGINT");
  const control = await untilShutDown(place, { postmaster, limit, signal: options.signal });
  if (control === undefined) {
    await kill(place, `no clean end in ${options.timeoutMs} ms`);
    return;
  }
  await sayGoodbye(place, { postmaster, control, limit, options });
  if (!(await untilDown(place, after(place.clock.now(), KILL_LIMIT_MS / 2)))) {
    await kill(place, "processes remain after the shutdown");
  }
}

interface Waiting {
  readonly postmaster: Postmaster;
  readonly limit: Instant;
  readonly signal: AbortSignal;
}

/** The control file once it says so; undefined when the server ended otherwise or the time is up. */
async function untilShutDown(
  { clock, dataDir }: Place,
  { limit, signal }: Waiting,
): Promise<ControlFile | undefined> {
  for (;;) {
    const isAlive = findPostmaster(dataDir) !== undefined;
    const control = await readControlFile(dataDir);
    if (control !== undefined && isCleanlyDown(control.state)) return control;
    if (!isAlive || clock.now() >= limit || signal.aborted) return undefined;
    await clock.sleep(POLL_MS);
  }
}

interface Goodbye {
  readonly postmaster: Postmaster;
  readonly control: ControlFile;
  readonly limit: Instant;
  readonly options: StopOptions;
}

/** Lets the caller see the last byte arrive at its heir, bounded; then ends the walsenders that are left. */
async function sayGoodbye(place: Place, goodbye: Goodbye): Promise<void> {
  const { postmaster, control, limit, options } = goodbye;
  const { clock, dataDir } = place;
  const end = control.state === "shut down" ? await readCheckpointEnd(dataDir, control) : undefined;
  if (options.onShutdown !== undefined && end !== undefined) {
    using patience = clock.deadline(Math.max(0, between(clock.now(), limit)), options.signal);
    await Promise.race([
      options.onShutdown(end).catch((error: unknown) => {
        place.log.warn("nobody took over at the shutdown", { error });
      }),
      aborted(patience.signal),
    ]);
  } else {
    await untilDown(place, after(clock.now(), FAREWELL_MS));
  }
  signalPostmaster(postmaster, "SIGQUIT");
}

async function untilDown({ clock, dataDir }: Place, limit: Instant): Promise<boolean> {
  for (;;) {
    if (findPostmaster(dataDir) === undefined && isDown(dataDir)) return true;
    if (clock.now() >= limit) return false;
    await clock.sleep(POLL_MS);
  }
}

/** The end by force, with the proof of R2; also what follows an abort, because half stopped is no state to leave. */
export async function kill(place: Place, why: string): Promise<void> {
  place.log.warn("the server is ended by the fence", { why });
  const never = new AbortController().signal;
  const report = await place.fence.killServer(KILL_GRACE_MS, KILL_LIMIT_MS, never);
  if (!report.down) {
    const rest = `${report.remaining} processes remain`;
    throw new AppError("PG_STOP_TIMEOUT", "stopping the server", rest);
  }
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
