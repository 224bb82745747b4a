// Does a new connection still get an answer (R39)?
//
// A session that is open proves nothing about the postmaster: its backend lives on without it. So a fresh connection
// asks for SSL, to which every server that forks answers one byte, whatever its limits and its state.
import { createConnection } from "node:net";
import type { Instant, Ms } from "../../model/time.ts";
import { between } from "../../model/time.ts";
import type { Clock } from "../../ports/clock.ts";

const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);
const PROBE_LIMIT_MS: Ms = 1700;
const SILENT_PROBES = 3;
const SILENT_MS: Ms = 5000;
/** Looks come in bursts while something happens; one probe a second says enough. */
const EVERY_MS: Ms = 1000;

export type Probe = (path: string, limitMs: Ms) => Promise<"answer" | "silence" | "refused">;

/** Asks once. Refused is an answer of the kernel: nobody listens. */
export const askForSsl: Probe = (path, limitMs) =>
  new Promise((resolve) => {
    const socket = createConnection({ path });
    const finish = (result: "answer" | "silence" | "refused"): void => {
      clearTimeout(limit);
      socket.destroy();
      resolve(result);
    };
    const limit = setTimeout(() => finish("silence"), limitMs);
    socket.once("connect", () => socket.write(SSL_REQUEST));
    socket.once("data", () => finish("answer"));
    // Closed without a byte: the server is too busy to fork or going down, which is not what hung means.
    socket.once("end", () => finish("answer"));
    socket.once("error", (error: NodeJS.ErrnoException) =>
      // A full backlog is what a postmaster that accepts nobody looks like.
      finish(error.code === "EAGAIN" ? "silence" : "refused"),
    );
  });

export class HungProbe {
  readonly #clock: Clock;
  readonly #probe: Probe;
  #silent = 0;
  #silentSince: Instant | undefined;
  #lastAt: Instant | undefined;
  #running: Promise<void> | undefined;

  constructor(clock: Clock, probe: Probe = askForSsl) {
    this.#clock = clock;
    this.#probe = probe;
  }

  /** Starts a probe unless one runs or the last is fresh; the verdict is that of the probes so far. */
  look(path: string): "hung" | "fine" {
    const now = this.#clock.now();
    const isDue = this.#lastAt === undefined || between(this.#lastAt, now) >= EVERY_MS;
    if (this.#running === undefined && isDue) {
      this.#lastAt = now;
      this.#running = this.#ask(path, now).finally(() => {
        this.#running = undefined;
      });
    }
    const since = this.#silentSince;
    const isLong = since !== undefined && between(since, now) >= SILENT_MS;
    return isLong && this.#silent >= SILENT_PROBES ? "hung" : "fine";
  }

  /** Another server: what was learnt about the last one says nothing. */
  reset(): void {
    this.#silent = 0;
    this.#silentSince = undefined;
    this.#lastAt = undefined;
  }

  async #ask(path: string, begun: Instant): Promise<void> {
    const result = await this.#probe(path, PROBE_LIMIT_MS);
    // If our own loop was blocked, the silence may be ours.
    const wasLate = between(begun, this.#clock.now()) > PROBE_LIMIT_MS + 500;
    if (result !== "silence") {
      this.#silent = 0;
      this.#silentSince = undefined;
    } else if (!wasLate) {
      this.#silent += 1;
      this.#silentSince ??= begun;
    }
  }
}
