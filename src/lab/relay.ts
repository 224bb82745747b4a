// A program that makes connections slow: it hands on every piece, each way, after the same time.
import { connect, createServer, type Socket } from "node:net";
import type { Ms } from "../model/time.ts";

export interface Route {
  /** Where the relay listens, on its host's loopback. */
  readonly port: number;
  readonly to: { readonly host: string; readonly port: number };
}

/** More than this is not held back: whoever sends it has to wait. */
const MOST_HELD_BYTES = 4 * 1024 * 1024;

/** Relays until it is killed. */
export async function runRelay(delayMs: Ms, routes: readonly Route[]): Promise<never> {
  for (const { port, to } of routes) {
    createServer({ allowHalfOpen: true }, (from) => {
      const onwards = connect({ ...to, allowHalfOpen: true });
      handOn(from, onwards, delayMs);
      handOn(onwards, from, delayMs);
    }).listen(port, "127.0.0.1");
  }
  return new Promise(() => undefined);
}

/** Timers of one length fire in the order in which they were set, so the pieces keep theirs. */
function handOn(from: Socket, to: Socket, delayMs: Ms): void {
  let held = 0;
  from.on("data", (piece: Buffer) => {
    held += piece.length;
    if (held > MOST_HELD_BYTES) from.pause();
    setTimeout(() => {
      held -= piece.length;
      to.write(piece);
      from.resume();
    }, delayMs);
  });
  from.on("end", () => setTimeout(() => to.end(), delayMs));
  from.on("error", () => setTimeout(() => to.resetAndDestroy(), delayMs));
}

/** `20000=198.18.1.2:5432`, as it stands on the relay's command line. */
export const printRoute = ({ port, to }: Route): string => `${port}=${to.host}:${to.port}`;

export function parseRoute(text: string): Route {
  const [, port, host, toPort] = /^(\d+)=([\d.]+):(\d+)$/.exec(text) ?? [];
  if (host === undefined) throw new RangeError(`${text} is no route`);
  return { port: Number(port), to: { host, port: Number(toPort) } };
}
