// How is the worker asked? One request and one line of answer over a Unix socket that only the server's user may open.
import { chmod, rm } from "node:fs/promises";
import { createServer, type ServerResponse } from "node:http";
import { AppError } from "../model/error.ts";

export interface DoorAnswer {
  readonly status: number;
  readonly body: string;
}

/** Answers a path and what was sent along with it. */
export type Answering = (path: string, body: string) => Promise<DoorAnswer>;

export interface Door {
  close(): Promise<void>;
}

/** The kernel takes no longer name than this. */
const LONGEST_NAME = 107;
const LARGEST_BODY = 64 * 1024;

/** Takes over a socket that an earlier life has left. Throws CONFIG_INVALID when its name is too long. */
export async function openDoor(path: string, answer: Answering): Promise<Door> {
  if (Buffer.byteLength(path) > LONGEST_NAME) {
    const why = `${path} is longer than ${LONGEST_NAME} bytes: set understudy.state_dir to a shorter one`;
    throw new AppError("CONFIG_INVALID", "opening the vault's socket", why);
  }
  const server = createServer(
    { keepAliveTimeout: 1_000, requestTimeout: 15_000 },
    (asked, reply) => {
      let body = "";
      asked.setEncoding("utf8");
      asked.on("data", (text: string) => {
        if (body.length < LARGEST_BODY) body += text;
      });
      asked.on("end", () => {
        answer((asked.url ?? "/").slice(1), body)
          .catch((error: unknown): DoorAnswer => ({ status: 500, body: String(error) }))
          .then((given) => say(reply, given))
          .catch(() => reply.destroy());
      });
    },
  );
  await rm(path, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, resolve);
  });
  await chmod(path, 0o600);
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function say(reply: ServerResponse, { status, body }: DoorAnswer): void {
  reply.writeHead(status, { "content-type": "text/plain", connection: "close" });
  reply.end(body);
}
