// Which addresses and ports are free for a new lab?
import { createServer } from "node:net";
import { AppError } from "../model/error.ts";

export interface Ports {
  readonly postgres: number;
  readonly rest: number;
  readonly client: number;
  readonly peer: number;
  readonly pooled: number;
  readonly write: number;
  readonly read: number;
  readonly report: number;
  readonly stats: number;
}

const USUAL: Ports = {
  postgres: 5432,
  rest: 8008,
  client: 2379,
  peer: 2380,
  pooled: 6432,
  write: 5000,
  read: 5001,
  report: 5002,
  stats: 7000,
};
/** A wildcard listener takes a port on every address: then all hosts move up by this much. */
const NEXT_PORT = 10;
const PORT_TRIES = 20;
const BLOCKS = 62 * 254;

/** A block of 254 loopback addresses, 127.64.1.x to 127.125.254.x; each lab has one of its own. */
export const blockPrefix = (block: number): string =>
  `127.${64 + Math.floor((block % BLOCKS) / 254)}.${1 + ((block % BLOCKS) % 254)}`;

/** Where the search for a free block begins: two labs with different names rarely meet. */
export function blockOf(name: string): number {
  let hash = 7;
  for (const letter of name) hash = (hash * 31 + letter.charCodeAt(0)) % BLOCKS;
  return hash;
}

/** The first block, from the one of this name on, that no registered lab has. */
export function freeBlock(name: string, taken: ReadonlySet<string>): string {
  for (let tried = 0; tried < BLOCKS; tried++) {
    const prefix = blockPrefix(blockOf(name) + tried);
    if (!taken.has(prefix)) return prefix;
  }
  throw new AppError("LAB_FAILED", "find free loopback addresses", "every block has a lab");
}

/** Ports that are free on all these addresses: the usual ones, unless somebody listens everywhere. */
export async function freePorts(
  addresses: readonly string[],
  usual: Ports = USUAL,
): Promise<Ports> {
  const first = async (wanted: number): Promise<number> => {
    for (let tried = 0; tried < PORT_TRIES; tried++) {
      const port = wanted + tried * NEXT_PORT;
      const free = await Promise.all(addresses.map((address) => canListen(address, port)));
      if (free.every(Boolean)) return port;
    }
    const where = addresses.join(", ");
    throw new AppError("PORT_IN_USE", `find a free port from ${wanted} on ${where}`);
  };
  return {
    postgres: await first(usual.postgres),
    rest: await first(usual.rest),
    client: await first(usual.client),
    peer: await first(usual.peer),
    pooled: await first(usual.pooled),
    write: await first(usual.write),
    read: await first(usual.read),
    report: await first(usual.report),
    stats: await first(usual.stats),
  };
}

/** In network namespaces of their own all ports are free. */
export const usualPorts = (): Ports => USUAL;

export const canListen = (host: string, port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(true)));
  });
