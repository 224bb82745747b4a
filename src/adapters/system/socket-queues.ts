// How much stands in the kernel's queues of this host's TCP connections?
import { readFile } from "node:fs/promises";

export interface SocketQueue {
  readonly localPort: number;
  readonly remotePort: number;
  /** Sent by the program and not yet acknowledged by the other side. */
  readonly sendBytes: number;
  /** Arrived and not yet read by the program. */
  readonly receiveBytes: number;
}

/** `  0: 0100007F:1538 0100007F:9C40 01 00000000:00000000 …`: addresses, state, send and receive queue, in hex. */
const LINE =
  /^\s*\d+: [0-9A-F]+:([0-9A-F]{4}) [0-9A-F]+:([0-9A-F]{4}) 01 ([0-9A-F]{8}):([0-9A-F]{8})/;

/** Established connections that have one of these ports at either end. The table of a busy host is long. */
export async function socketQueues(
  ports: ReadonlySet<number>,
  root = "/proc",
): Promise<readonly SocketQueue[]> {
  const tables = await Promise.all(
    ["tcp", "tcp6"].map((name) => readFile(`${root}/net/${name}`, "latin1").catch(() => "")),
  );
  return tables.flatMap((table) => table.split("\n").flatMap(parseSocket)).filter(isAsked(ports));
}

const isAsked = (ports: ReadonlySet<number>) => (queue: SocketQueue) =>
  ports.has(queue.localPort) || ports.has(queue.remotePort);

export function parseSocket(line: string): readonly SocketQueue[] {
  const match = LINE.exec(line);
  if (match === null) return [];
  const [localPort = 0, remotePort = 0, sendBytes = 0, receiveBytes = 0] = match
    .slice(1)
    .map((hex) => Number.parseInt(hex, 16));
  return [{ localPort, remotePort, sendBytes, receiveBytes }];
}
