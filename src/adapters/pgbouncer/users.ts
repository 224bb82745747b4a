// Whom does PgBouncer let in? The users of the user's own file, and our way to the console.
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { AppError } from "../../model/error.ts";
import type { PoolerAuth } from "../../model/router-settings.ts";
import { readIfPresent, writeDurably } from "../system/durable-file.ts";
import { consoleKeyFile } from "./layout.ts";
import { CONSOLE_USER } from "./render.ts";

/** The password of the console, made once: an agent that starts again meets the same PgBouncer. */
export async function consoleKey(dir: string): Promise<string> {
  const present = await readIfPresent(consoleKeyFile(dir));
  if (present !== undefined && present !== "") return present;
  const made = randomBytes(24).toString("hex");
  await writeDurably(consoleKeyFile(dir), made, { mode: 0o600 });
  return made;
}

/** The text of the file that PgBouncer reads. Throws CONFIG_INVALID when the user's own cannot be read. */
export async function renderUsers(auth: PoolerAuth, key: string): Promise<string> {
  const own = auth.file === undefined ? "" : await textOf(auth.file);
  if (auth.queryUser !== undefined && !hasUser(own, auth.queryUser)) {
    const why = `${auth.queryUser} asks for the passwords of others; put its own into the file`;
    throw new AppError(
      "CONFIG_INVALID",
      `reading ${auth.file ?? "router.pgbouncer.auth.file"}`,
      why,
    );
  }
  const lines = own.endsWith("\n") || own === "" ? own : `${own}\n`;
  return `${lines}"${CONSOLE_USER}" "${key}"\n`;
}

/** Trust is for clients: the console takes its password and is not reached over the network. */
export const TRUST_RULES = [
  `local pgbouncer ${CONSOLE_USER} scram-sha-256`,
  `host pgbouncer ${CONSOLE_USER} 0.0.0.0/0 reject`,
  `host pgbouncer ${CONSOLE_USER} ::/0 reject`,
  "host all all 0.0.0.0/0 trust",
  "host all all ::/0 trust",
  "",
].join("\n");

const hasUser = (file: string, name: string): boolean =>
  file.split("\n").some((line) => line.startsWith(`"${name.replaceAll('"', '""')}" `));

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new AppError("CONFIG_INVALID", `reading ${path}`, why, error);
  }
}
