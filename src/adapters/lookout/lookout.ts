// Is the primary's server still there? A connection of our own says so without being asked: it breaks with the server.
//
// Nothing is sent over it, so no password is needed; the server ends such a connection after authentication_timeout, and
// that must not look like its death. So whenever it ends, the server is asked once, by a connection that begins a login: one
// that asks for a password is up, one that is starting or stopping says so.
import { connect, type Socket } from "node:net";
import type { Target } from "../../model/route.ts";
import { after, type Instant, type Ms } from "../../model/time.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Lookout } from "../../ports/lookout.ts";

const CONNECT_MS: Ms = 1_000;
const RETRY_MS: Ms = 50;
/** A server that has ended our connection and does not let us in again within this time counts as lost. */
const DOUBT_MS: Ms = 150;
/** Before the server's authentication_timeout, 60 s unless somebody changed it. */
const RENEW_MS: Ms = 30_000;

/** SQLSTATE of a server that is starting or stopping. */
const CANNOT_CONNECT_NOW = "57P03";
const PROTOCOL_3 = 196_608;

export function createLookout(clock: Clock): Lookout {
  return new TcpLookout(clock);
}

class TcpLookout implements Lookout {
  readonly #clock: Clock;
  #target: Target | undefined;
  /** A new one for each target: what still runs for another stops. */
  #watching = new AbortController();
  #lostSince: Instant | undefined;
  #onChange: () => void = () => undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  watch(target: Target | undefined): void {
    const old = this.#target;
    if (old?.name === target?.name && old?.host === target?.host && old?.port === target?.port)
      return;
    this.close();
    this.#target = target;
    this.#lostSince = undefined;
    this.#watching = new AbortController();
    if (target !== undefined) void this.#keepWatch(target, this.#watching.signal);
  }

  lostSince = (): Instant | undefined => this.#lostSince;

  onChange(run: () => void): void {
    this.#onChange = run;
  }

  close(): void {
    this.#watching.abort();
  }

  async #keepWatch(target: Target, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const doubt = this.#clock.wakeAt(after(this.#clock.now(), DOUBT_MS), () =>
        this.#note(false, signal),
      );
      const socket = await openTo(target);
      const isUp = socket !== undefined && (await letsIn(target));
      doubt.cancel();
      this.#note(isUp, signal);
      if (isUp) await ended(socket, RENEW_MS, signal);
      socket?.destroy();
      if (!isUp) await this.#clock.sleep(RETRY_MS, signal).catch(() => undefined);
    }
  }

  #note(isUp: boolean, signal: AbortSignal): void {
    if (signal.aborted || isUp === (this.#lostSince === undefined)) return;
    this.#lostSince = isUp ? undefined : this.#clock.now();
    this.#onChange();
  }
}

/** A connection over which nothing has been sent; undefined when there is none in time. */
function openTo({ host, port }: Target): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const fail = (): void => {
      socket.destroy();
      resolve(undefined);
    };
    socket.setTimeout(CONNECT_MS, fail);
    socket.once("error", fail);
    socket.once("connect", () => {
      socket.setTimeout(0);
      socket.on("error", () => socket.destroy());
      resolve(socket);
    });
  });
}

/** Resolves when the server ends the connection, or when it is time for a new one. */
function ended(socket: Socket, renewMs: Ms, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, renewMs);
    timer.unref();
    signal.addEventListener("abort", done, { once: true });
    // Data would never come; reading is what shows the end.
    socket.resume();
    socket.once("end", done);
    socket.once("close", done);
  });
}

/** Begins a login and never ends it: any answer but "not now" comes from a server that is up. */
async function letsIn(target: Target): Promise<boolean> {
  const socket = await openTo(target);
  if (socket === undefined) return false;
  try {
    return await new Promise<boolean>((resolve) => {
      socket.setTimeout(CONNECT_MS, () => resolve(false));
      socket.once("close", () => resolve(false));
      socket.once("data", (answer) => resolve(sqlStateIn(answer) !== CANNOT_CONNECT_NOW));
      socket.write(startupMessage());
    });
  } finally {
    socket.destroy();
  }
}

function startupMessage(): Buffer {
  const words = ["user", "understudy_lookout", "database", "postgres", "", ""].join("\0");
  const body = Buffer.from(words, "latin1");
  const head = Buffer.alloc(8);
  head.writeInt32BE(head.length + body.length, 0);
  head.writeInt32BE(PROTOCOL_3, 4);
  return Buffer.concat([head, body]);
}

/** The code of an error message; undefined when it is another message. */
function sqlStateIn(answer: Buffer): string | undefined {
  if (String.fromCharCode(answer[0] ?? 0) !== "E") return undefined;
  const fields = answer.subarray(5).toString("latin1").split("\0");
  return fields.find((field) => field.startsWith("C"))?.slice(1);
}
