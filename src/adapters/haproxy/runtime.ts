// One persistent connection to HAProxy's socket: a command costs a fraction of a millisecond, and its end tells of a death.
import { connect, type Socket } from "node:net";
import { AppError } from "../../model/error.ts";
import type { Ms } from "../../model/time.ts";

/** An answer ends with this once `prompt` was said. */
const PROMPT = "\n> ";
const LARGEST_ANSWER = 4 * 1024 * 1024;
const ATTEMPT = "talking to HAProxy";

export interface Runtime {
  /** Sends one command and answers its text, trimmed. Throws when the connection is lost or the time is up. */
  ask(command: string): Promise<string>;
  readonly isOpen: boolean;
  close(): void;
}

interface Waiting {
  resolve(text: string): void;
  reject(error: Error): void;
}

/** Connects and switches to prompt mode; undefined when nobody listens there. `onEnd` is called once, unless we closed it. */
export async function openRuntime(
  path: string,
  limitMs: Ms,
  onEnd: () => void = () => undefined,
): Promise<Runtime | undefined> {
  const socket = await connected(path, limitMs);
  if (socket === undefined) return undefined;
  const runtime = new Connection(socket, limitMs, onEnd);
  await runtime.ask("prompt");
  return runtime;
}

function connected(path: string, limitMs: Ms): Promise<Socket | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new AppError("TIMEOUT", ATTEMPT, `${path} does not accept within ${limitMs} ms`));
    }, limitMs);
    socket.once("connect", () => {
      clearTimeout(timer);
      resolve(socket);
    });
    socket.once("error", () => {
      clearTimeout(timer);
      resolve(undefined);
    });
  });
}

class Connection implements Runtime {
  readonly #socket: Socket;
  readonly #limitMs: Ms;
  readonly #onEnd: () => void;
  #text = "";
  #waiting: Waiting | undefined;
  #queue: Promise<unknown> = Promise.resolve();
  #isOpen = true;

  constructor(socket: Socket, limitMs: Ms, onEnd: () => void) {
    this.#socket = socket;
    this.#limitMs = limitMs;
    this.#onEnd = onEnd;
    socket.setEncoding("utf8");
    socket.on("data", (chunk: string) => this.#hear(chunk));
    socket.on("error", () => undefined);
    socket.on("close", () => this.#end(true));
    // A waiting connection must not keep a finished program alive.
    socket.unref();
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** One after another: the answers carry no number. */
  ask(command: string): Promise<string> {
    const answer = this.#queue.then(() => this.#exchange(command));
    this.#queue = answer.catch(() => undefined);
    return answer;
  }

  close(): void {
    this.#end(false);
  }

  async #exchange(command: string): Promise<string> {
    if (!this.#isOpen) throw lost(command);
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise<string>((resolve, reject) => {
        this.#waiting = { resolve, reject };
        timer = setTimeout(() => {
          reject(new AppError("TIMEOUT", ATTEMPT, `no answer to "${command}"`));
          // What may still come would be taken for the answer to the next command.
          this.#end(true);
        }, this.#limitMs);
        this.#socket.write(`${command}\n`);
      });
    } finally {
      clearTimeout(timer);
      this.#waiting = undefined;
    }
  }

  #hear(chunk: string): void {
    this.#text += chunk;
    if (this.#text.length > LARGEST_ANSWER) this.#end(true);
    if (!this.#text.endsWith(PROMPT)) return;
    const text = this.#text.slice(0, -PROMPT.length).trim();
    this.#text = "";
    this.#waiting?.resolve(text);
  }

  #end(isTold: boolean): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#socket.destroy();
    this.#waiting?.reject(lost("its last command"));
    if (isTold) this.#onEnd();
  }
}

const lost = (command: string): AppError =>
  new AppError("NOT_POSSIBLE", ATTEMPT, `the connection ended at ${command}`);
