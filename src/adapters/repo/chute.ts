// How does what a program prints come to us without new memory for each piece? Through a socket that reads into its own.
//
// Only sockets that Node connects by itself can do that, and the output of a child is none. So we connect to ourselves, and
// the program gets the other end.
import { mkdtemp, rm } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** More than a socket holds: what is there is taken at once. */
const PIECE_BYTES = 256 * 1024;

export interface Chute {
  /** For the program; to be destroyed here once that has it. */
  readonly theirs: Socket;
  /** Settles when the program's end is closed. Rejects with what `take` has thrown. */
  readonly ended: Promise<void>;
}

/** Gives each piece that comes to `take`, in memory that is used again. */
export async function openChute(take: (bytes: Uint8Array) => void): Promise<Chute> {
  // Nobody else gets to a folder that is new and ours alone.
  const folder = await mkdtemp(join(tmpdir(), "understudy-"));
  const server = createServer();
  try {
    const path = join(folder, "chute");
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(path, resolve);
    });
    const coming = new Promise<Socket>((resolve) => server.once("connection", resolve));
    const ended = receive(path, take);
    return { theirs: await Promise.race([coming, ended.then(neverCame)]), ended };
  } finally {
    server.close();
    await rm(folder, { recursive: true, force: true });
  }
}

function neverCame(): never {
  throw new Error("the socket to ourselves ended before it began");
}

function receive(path: string, take: (bytes: Uint8Array) => void): Promise<void> {
  const ended = new Promise<void>((resolve, reject) => {
    const callback = (count: number, memory: Uint8Array): boolean => {
      try {
        take(memory.subarray(0, count));
        return true;
      } catch (error) {
        reject(error);
        ours.destroy();
        return false;
      }
    };
    const onread = { buffer: Buffer.allocUnsafeSlow(PIECE_BYTES), callback };
    const ours = connect({ path, onread });
    ours.once("error", reject);
    ours.once("close", () => resolve());
  });
  ended.catch(() => undefined);
  return ended;
}
