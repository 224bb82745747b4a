// One connection of the agent to its fence: numbered requests, their answers, and what the fence says unasked.
import { connect, type Socket } from "node:net";
import { AppError } from "../../model/error.ts";
import type { Ms } from "../../model/time.ts";
import type { Clock } from "../../ports/clock.ts";
import {
  type Answer,
  type FromFence,
  lineReader,
  type Notice,
  printLine,
  type Request,
  withSocketPath,
} from "./protocol.ts";

export interface LinkListeners {
  onNotice(notice: Notice): void;
  /** Called once, also when we closed it. */
  onClose(): void;
}

export interface Limits {
  readonly limitMs: Ms;
  readonly signal: AbortSignal;
}

type Waiting = (answer: Answer | undefined) => void;

/** Why the socket could not be reached; only two of the reasons mean that no fence is there. */
export class NoFence extends AppError {
  readonly isAbsent: boolean;
  constructor(error: NodeJS.ErrnoException) {
    super("FENCE_LOST", "connecting to the fence", error.message, error);
    this.isAbsent = error.code === "ENOENT" || error.code === "ECONNREFUSED";
  }
}

/** The socket of the fence that listens in this directory; NoFence when none does. */
export async function openLink(
  stateDir: string,
  clock: Clock,
  listeners: LinkListeners,
): Promise<FenceLink> {
  const socket = await withSocketPath(stateDir, (path) => dial(path));
  return new FenceLink(socket, clock, listeners);
}

/** A Unix socket answers or refuses at once, so this wait needs no limit of its own. */
function dial(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.removeAllListeners("error");
      resolve(socket);
    });
    socket.once("error", (error: NodeJS.ErrnoException) => {
      reject(new NoFence(error));
    });
  });
}

export class FenceLink {
  readonly #socket: Socket;
  readonly #clock: Clock;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;

  constructor(socket: Socket, clock: Clock, listeners: LinkListeners) {
    this.#socket = socket;
    this.#clock = clock;
    const read = lineReader((line) => this.#take(line, listeners));
    socket.on("data", (chunk: Buffer) => {
      if (!read(chunk)) socket.destroy();
    });
    // What went wrong is of no use here: "close" follows, and every request in flight fails by it.
    socket.on("error", () => socket.destroy());
    socket.on("end", () => socket.destroy());
    socket.once("close", () => {
      for (const answer of this.#waiting.values()) answer(undefined);
      this.#waiting.clear();
      listeners.onClose();
    });
  }

  /** The answer to one request, within `limitMs`; FENCE_LOST without one. A refusal is an answer. */
  async request(body: Request, { limitMs, signal }: Limits): Promise<Answer> {
    const attempt = `asking the fence to ${body.do}`;
    signal.throwIfAborted();
    if (this.#socket.destroyed) throw new AppError("FENCE_LOST", attempt, "the connection ended");
    this.#lastId += 1;
    const id = this.#lastId;
    using limit = this.#clock.deadline(limitMs, signal);
    const answer = new Promise<Answer | undefined>((resolve) => {
      this.#waiting.set(id, resolve);
      // After a stall of our own the answer may lie unread in the socket: it is read before we call it missing.
      const giveUp = (): void => void setImmediate(() => resolve(undefined));
      limit.signal.addEventListener("abort", giveUp, { once: true });
    });
    this.#socket.write(printLine({ ...body, id }));
    const got = await answer;
    this.#waiting.delete(id);
    if (got !== undefined) return got;
    signal.throwIfAborted();
    const why = limit.signal.aborted ? `no answer in ${limitMs} ms` : "the connection ended";
    throw new AppError("FENCE_LOST", attempt, why);
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(line: string, listeners: LinkListeners): void {
    let message: FromFence;
    try {
      message = JSON.parse(line) as FromFence;
    } catch {
      this.#socket.destroy();
      return;
    }
    if ("notice" in message) listeners.onNotice(message.notice);
    else this.#waiting.get(message.id)?.(message);
  }
}
