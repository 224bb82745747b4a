// Does a broken connection tell the end of a server from the end of a login that took too long?
import { createServer, type Server, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import type { Clock } from "../../ports/clock.ts";
import type { Lookout } from "../../ports/lookout.ts";
import { createClock } from "../system/clock.ts";
import { createLookout } from "./lookout.ts";

const LIMIT_MS = 10_000;

/** As much of a server as a stranger sees: it asks for a password, or says that it is not ready. */
class Door {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #silent = new Set<Socket>();
  sqlState: string | undefined;
  logins = 0;

  private constructor() {
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      this.#silent.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => this.#sockets.delete(socket));
      socket.on("data", () => {
        this.#silent.delete(socket);
        this.logins += 1;
        socket.write(this.sqlState === undefined ? "R" : this.#refusal(this.sqlState));
      });
    });
  }

  static async open(port = 0): Promise<Door> {
    const door = new Door();
    await new Promise<void>((resolve) => door.#server.listen(port, "127.0.0.1", resolve));
    return door;
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("it listens");
    return address.port;
  }

  #refusal(code: string): Buffer {
    const fields = Buffer.from(`SFATAL\0C${code}\0Mno\0\0`, "latin1");
    const head = Buffer.from([69, 0, 0, 0, fields.length + 4]);
    return Buffer.concat([head, fields]);
  }

  /** Ends who has said nothing for too long, as authentication_timeout does. */
  endSilent(): void {
    for (const socket of this.#silent) socket.destroy();
    this.#silent.clear();
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}

const opened: { close(): void }[] = [];
afterEach(() => {
  for (const thing of opened.splice(0)) thing.close();
});

async function watching(door: Door, clock: Clock = createClock()) {
  const lookout = createLookout(clock);
  opened.push(lookout, door);
  let changed: () => void = () => undefined;
  let wasLost = false;
  lookout.onChange(() => {
    wasLost ||= isLost(lookout);
    changed();
  });
  lookout.watch({
    name: "n1",
    host: "127.0.0.1",
    port: door.port,
    api: { host: "127.0.0.1", port: 8008 },
  });
  const until = (what: (l: Lookout) => boolean): Promise<void> =>
    new Promise((resolve, reject) => {
      const limit = setTimeout(() => reject(new Error("it never came")), LIMIT_MS);
      changed = () => {
        if (!what(lookout)) return;
        clearTimeout(limit);
        resolve();
      };
      changed();
    });
  return {
    lookout,
    everLost: () => wasLost,
    lost: () => until(isLost),
    back: () => until((l) => !isLost(l)),
  };
}

const isLost = (lookout: Lookout): boolean => lookout.lostSince() !== undefined;

describe("a server", () => {
  it("is lost when it lets nobody in any more, and back when it does", async () => {
    const door = await Door.open();
    const { port } = door;
    const { lookout, lost, back } = await watching(door);
    door.close();
    await lost();
    expect(isLost(lookout)).toBe(true);
    opened.push(await Door.open(port));
    await back();
    expect(isLost(lookout)).toBe(false);
  });

  it("is lost while it says that it is starting or stopping", async () => {
    const door = await Door.open();
    door.sqlState = "57P03";
    const { lookout, lost, back } = await watching(door);
    await lost();
    expect(isLost(lookout)).toBe(true);
    door.sqlState = undefined;
    await back();
    expect(isLost(lookout)).toBe(false);
  });

  it("is there when it refuses a stranger, or has no room for one", async () => {
    const door = await Door.open();
    door.sqlState = "57P03";
    const { lookout, lost, back } = await watching(door);
    await lost();
    expect(isLost(lookout)).toBe(true);
    door.sqlState = "53300";
    await back();
    expect(isLost(lookout)).toBe(false);
  });

  it("that ends a silent connection is asked, and is not lost when it answers", async () => {
    const door = await Door.open();
    // However slow this machine is: no doubt arises while an answer is on its way.
    const unhurried: Clock = { ...createClock(), wakeAt: () => ({ cancel: () => undefined }) };
    const { lookout, everLost } = await watching(door, unhurried);
    for (let n = 1; n <= 3; n += 1) {
      await expect.poll(() => door.logins, { timeout: LIMIT_MS }).toBeGreaterThanOrEqual(n);
      door.endSilent();
    }
    await expect.poll(() => door.logins, { timeout: LIMIT_MS }).toBeGreaterThan(3);
    expect(isLost(lookout) || everLost()).toBe(false);
  });
});
