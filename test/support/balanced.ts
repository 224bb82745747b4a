// Members for tests of the balancer: a TCP server that says its name, and an agent's health checks beside it.
import { createServer as createHttpServer, type Server as HttpServer } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { connect, createServer, type Server, type Socket } from "node:net";
import type { Address } from "../../src/model/address.ts";
import type { ReadTarget, Target } from "../../src/model/route.ts";

const HOST = "127.0.0.1";
const CONNECT_LIMIT_MS = 2000;

export interface StandInTls {
  readonly ca: Buffer | undefined;
  readonly cert: Buffer | undefined;
  readonly key: Buffer | undefined;
}

/** Says its name to whoever connects, then what it hears. */
export class StandIn {
  readonly name: string;
  /** What its agent would answer, by path. */
  role: "primary" | "standby" | "gone" = "standby";
  /** Health checks that its agent has heard. */
  checked = 0;
  readonly #server: Server;
  readonly #health: HttpServer;
  readonly #sockets = new Set<Socket>();

  private constructor(name: string, server: Server, health: HttpServer) {
    this.name = name;
    this.#server = server;
    this.#health = health;
  }

  /** With `tls` its agent speaks TLS, and answers only to those who show a certificate of the authority. */
  static async open(name: string, tls?: StandInTls): Promise<StandIn> {
    const server = createServer();
    const health: HttpServer =
      tls === undefined
        ? createHttpServer()
        : createHttpsServer({ ...tls, requestCert: true, rejectUnauthorized: true });
    const member = new StandIn(name, server, health);
    server.on("connection", (socket) => member.#serve(socket));
    health.on("request", (request, response) => {
      member.checked += 1;
      response.statusCode = member.#isGood(request.url ?? "") ? 200 : 503;
      response.end();
    });
    await listening(server);
    await listening(health);
    return member;
  }

  get target(): Target {
    return { name: this.name, ...addressOf(this.#server), api: addressOf(this.#health) };
  }

  reads(state: ReadTarget["state"] = "ready"): ReadTarget {
    return { ...this.target, state };
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#health.closeAllConnections();
    await Promise.all([this.#server, this.#health].map(closed));
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket));
    socket.on("error", () => undefined);
    socket.write(`${this.name}\n`);
    socket.on("data", (heard) => socket.write(heard));
  }

  #isGood(path: string): boolean {
    // tidy-allow: the path that health checks of the field ask for
    return (
      path.startsWith(this.role === "primary" ? "/primary" : "/replica") && this.role !== "gone"
    );
  }
}

/** A client with one session; `name` says who serves it. */
export class Client {
  readonly name: string;
  readonly #socket: Socket;
  #isOpen = true;

  private constructor(name: string, socket: Socket) {
    this.name = name;
    this.#socket = socket;
    socket.on("close", () => {
      this.#isOpen = false;
    });
  }

  /** Undefined when nobody serves, or not within the limit. */
  static async open(at: Address, limitMs = CONNECT_LIMIT_MS): Promise<Client | undefined> {
    const socket = connect(at.port, at.host);
    socket.on("error", () => undefined);
    socket.setTimeout(limitMs, () => socket.destroy());
    const name = await firstLine(socket);
    socket.setTimeout(0);
    return name === undefined ? undefined : new Client(name, socket);
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Whether the session still serves: a word goes there and back. */
  async isServed(): Promise<boolean> {
    if (!this.#isOpen) return false;
    this.#socket.write("word\n");
    return (await firstLine(this.#socket)) === "word";
  }

  close(): void {
    this.#socket.destroy();
  }
}

function firstLine(socket: Socket): Promise<string | undefined> {
  return new Promise((resolve) => {
    let text = "";
    const hear = (chunk: Buffer): void => {
      text += chunk.toString();
      if (text.includes("\n")) end(text.trim());
    };
    const end = (answer: string | undefined): void => {
      socket.off("data", hear);
      socket.off("close", lost);
      resolve(answer);
    };
    const lost = (): void => end(undefined);
    socket.on("data", hear);
    socket.once("close", lost);
  });
}

const listening = (server: Server | HttpServer): Promise<void> =>
  new Promise((resolve) => {
    server.listen(0, HOST, resolve);
  });

const closed = (server: Server | HttpServer): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve());
  });

function addressOf(server: Server | HttpServer): Address {
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return { host: HOST, port };
}
