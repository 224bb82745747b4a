// The machine's own dead man's switch: fed while a deadline stands and has not passed, so that a host on which even
// the fence no longer runs is reset. A plain file or a FIFO does for tests.
import { spawnSync } from "node:child_process";
import {
  accessSync,
  closeSync,
  constants,
  openSync,
  readFileSync,
  statSync,
  writeSync,
} from "node:fs";
import { basename } from "node:path";
import type { Ms } from "../../model/time.ts";
import type { FenceStatus } from "../../ports/fence.ts";
import type { Say } from "./say.ts";

export interface WatchdogOptions {
  readonly device: string;
  readonly timeoutMs: Ms;
  /** The device is a pipe: its reader is told the timeout in words, as Patroni's driver for tests does. */
  readonly isForTests?: boolean;
}

const SETUP_LIMIT_MS: Ms = 3000;
/** A device that could not be opened is tried again no sooner: it may be another program's. */
const FAILED_FOR_MS: Ms = 30_000;
/** Written last, it tells the driver that the end of feeding is meant. */
const MAGIC_CLOSE = "V";

export class Watchdog {
  readonly #options: WatchdogOptions | undefined;
  readonly #say: Say;
  readonly #lacking: string[] = [];
  #file: number | undefined;
  #failedAt = Number.NEGATIVE_INFINITY;
  #state: FenceStatus["watchdog"] = "off";

  constructor(options: WatchdogOptions | undefined, say: Say) {
    this.#options = options;
    this.#say = say;
    if (options === undefined) return;
    try {
      if (statSync(options.device).isCharacterDevice()) this.#setTimeout(options);
    } catch {
      this.#state = "absent";
    }
    if (this.state !== "off") say("there is no watchdog to feed", { device: options.device });
  }

  /** While nothing is fed it tells whether it could be; opening the device to find out would start it. */
  get state(): FenceStatus["watchdog"] {
    const isTold = this.#file !== undefined || this.#options === undefined;
    if (isTold || performance.now() - this.#failedAt < FAILED_FOR_MS) return this.#state;
    try {
      accessSync(this.#options.device, constants.W_OK);
      this.#state = "off";
    } catch (error) {
      this.#state = isAbsent(error) ? "absent" : "failed";
    }
    return this.#state;
  }

  get lacking(): readonly string[] {
    return this.#lacking;
  }

  feed(): void {
    if (this.#options === undefined) return;
    try {
      this.#file ??= open(this.#options);
      writeSync(this.#file, this.#options.isForTests === true ? "1" : "\0");
      this.#state = "armed";
    } catch (error) {
      this.#fail(error);
    }
  }

  release(): void {
    if (this.#file === undefined) return;
    const file = this.#file;
    this.#file = undefined;
    this.#state = "off";
    try {
      writeSync(file, MAGIC_CLOSE);
      closeSync(file);
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    this.#failedAt = performance.now();
    const state = isAbsent(error) ? "absent" : "failed";
    if (this.#state !== state) this.#say("the watchdog cannot be fed", { error: String(error) });
    this.#state = state;
  }

  /** The driver's own timeout is a minute as a rule, which no lease waits for. */
  #setTimeout({ device, timeoutMs }: WatchdogOptions): void {
    const wanted = wholeSeconds(timeoutMs);
    const name = basename(device) === "watchdog" ? "watchdog0" : basename(device);
    // Opening a device that cannot be closed again would start it now, with nobody feeding it.
    if (readNumber(`/sys/class/watchdog/${name}/nowayout`) === 0) {
      const limit = { timeout: SETUP_LIMIT_MS, stdio: "ignore" } as const;
      spawnSync("wdctl", ["--settimeout", String(wanted), device], limit);
    }
    const actual = readNumber(`/sys/class/watchdog/${name}/timeout`);
    if (actual === undefined || actual > wanted) {
      this.#lacking.push(`watchdog timeout of ${wanted} s (it is ${actual ?? "not known"})`);
    }
  }
}

/** No opening waits: a pipe that nobody reads is a failure, and so is a device that is busy. */
function open({ device, timeoutMs, isForTests }: WatchdogOptions): number {
  const file = openSync(device, constants.O_WRONLY | constants.O_NONBLOCK);
  if (isForTests === true) writeSync(file, `Ctimeout=${wholeSeconds(timeoutMs)}\n`);
  return file;
}

const wholeSeconds = (ms: Ms): number => Math.max(1, Math.floor(ms / 1000));

const isAbsent = (error: unknown): boolean =>
  error instanceof Error && "code" in error && error.code === "ENOENT";

function readNumber(file: string): number | undefined {
  try {
    return Number.parseInt(readFileSync(file, "latin1"), 10);
  } catch {
    return undefined;
  }
}
