// HAProxy's folder: the configuration is tried before it takes the place of one that works.
import { createPrivateKey } from "node:crypto";
import { mkdir, readFile, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { AppError } from "../../model/error.ts";
import type { TlsFiles } from "../../model/settings.ts";
import { asFileError, readIfPresent, syncDirectory, writeDurably } from "../system/durable-file.ts";
import { type Program, validate } from "./program.ts";
import { type CheckTls, configFile } from "./render.ts";

/** Makes the folder, for us alone: HAProxy reads its files before it gives up our rights. */
export async function prepareFolder(dir: string): Promise<void> {
  try {
    await mkdir(dir, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw asFileError(error, `making ${dir}`);
  }
}

/** The certificates for health checks. HAProxy wants certificate and key in one file, so one is written. */
export async function prepareTls(
  dir: string,
  tls: TlsFiles | undefined,
): Promise<CheckTls | undefined> {
  if (tls === undefined) return undefined;
  const { cafile, certfile, keyfile } = tls;
  if (certfile === undefined) return { cafile, pem: undefined };
  const certificate = await textOf(certfile);
  const key = keyfile === undefined ? [] : [opened(await textOf(keyfile), tls)];
  const pem = join(dir, "check.pem");
  await writeDurably(pem, [certificate, ...key].join("\n"), { mode: 0o600 });
  return { cafile, pem };
}

/** HAProxy would ask a terminal for the password of a key. */
function opened(key: string, { keyfile, keyPassword }: TlsFiles): string {
  if (keyPassword === undefined) return key;
  try {
    const read = createPrivateKey({ key, passphrase: keyPassword.reveal() });
    return read.export({ type: "pkcs8", format: "pem" }).toString();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new AppError("CONFIG_INVALID", `opening ${keyfile}`, why, error);
  }
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new AppError("CONFIG_INVALID", `reading ${path}`, why, error);
  }
}

export const presentConfig = (dir: string): Promise<string | undefined> =>
  readIfPresent(configFile(dir));

/** Puts the text in place if HAProxy accepts it; else throws its words, and the file that is there stays. */
export async function replaceConfig(
  dir: string,
  text: string,
  { program, signal }: { readonly program: Program; readonly signal: AbortSignal },
): Promise<void> {
  const file = configFile(dir);
  const next = `${file}.next`;
  await writeDurably(next, text, { mode: 0o600 });
  try {
    await validate(program, next, signal);
    await rename(next, file);
    await syncDirectory(dirname(file));
  } finally {
    await rm(next, { force: true });
  }
}
