// Who may command the fence? The agent that said hello last; nobody else can arm (R11).
import { chmodSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import {
  type Answer,
  type FromFence,
  lineReader,
  type Notice,
  type Numbered,
  printLine,
  SOCKET_NAME,
  withSocketPath,
} from "./protocol.ts";

export interface DoorOptions {
  readonly stateDir: string;
  readonly answer: (request: Numbered, generation: number) => Promise<Answer>;
  readonly refuse: (request: Numbered, generation: number) => Answer;
  /** The agent came or went. */
  readonly onChange: () => void;
  /** It asked the fence to quit, and that was granted and answered. */
  readonly onQuit: () => void;
}

export class Door {
  readonly #options: DoorOptions;
  readonly #server: Server;
  #generation = 0;
  #agent: Socket | undefined;

  constructor(options: DoorOptions) {
    this.#options = options;
    this.#server = createServer((socket) => this.#accept(socket));
  }

  get hasAgent(): boolean {
    return this.#agent !== undefined;
  }

  /** Only for the holder of the lock: whatever socket file is there has no owner any more. */
  async open(): Promise<void> {
    const { stateDir } = this.#options;
    rmSync(join(stateDir, SOCKET_NAME), { force: true });
    await withSocketPath(
      stateDir,
      (path) =>
        new Promise<void>((resolve, reject) => {
          this.#server.once("error", reject);
          this.#server.listen(path, resolve);
        }),
    );
    chmodSync(join(stateDir, SOCKET_NAME), 0o600);
  }

  remove(): void {
    rmSync(join(this.#options.stateDir, SOCKET_NAME), { force: true });
  }

  tell(notice: Notice): void {
    if (this.#agent !== undefined) send(this.#agent, { notice });
  }

  #accept(socket: Socket): void {
    const read = lineReader((line) => void this.#take(socket, line));
    socket.on("data", (chunk: Buffer) => {
      if (!read(chunk)) socket.destroy();
    });
    socket.on("error", () => socket.destroy());
    // The agent's end changes nothing for the server: only the deadline counts.
    socket.on("close", () => {
      if (this.#agent !== socket) return;
      this.#agent = undefined;
      this.#options.onChange();
    });
  }

  async #take(socket: Socket, line: string): Promise<void> {
    const request = parse(line);
    if (request === undefined) {
      socket.destroy();
      return;
    }
    if (request.do === "hello") this.#welcome(socket);
    if (this.#agent !== socket) {
      send(socket, this.#options.refuse(request, this.#generation));
      return;
    }
    const answer = await this.#options.answer(request, this.#generation);
    send(socket, answer);
    if (request.do === "quit" && answer.ok) socket.end(() => this.#options.onQuit());
  }

  #welcome(socket: Socket): void {
    const previous = this.#agent;
    this.#generation += 1;
    this.#agent = socket;
    if (previous !== undefined && previous !== socket) {
      send(previous, { notice: { kind: "superseded" } });
      previous.end();
    }
    this.#options.onChange();
  }
}

function send(socket: Socket, message: FromFence): void {
  if (socket.writable) socket.write(printLine(message));
}

function parse(line: string): Numbered | undefined {
  try {
    return JSON.parse(line) as Numbered;
  } catch {
    return undefined;
  }
}
