// PgBouncer's files: each whole or not at all, and new settings only after PgBouncer itself has run with them.
import { rm } from "node:fs/promises";
import { AppError } from "../../model/error.ts";
import type { PgbouncerSettings } from "../../model/router-settings.ts";
import type { Ms } from "../../model/time.ts";
import type { Clock } from "../../ports/clock.ts";
import { readIfPresent, writeDurably } from "../system/durable-file.ts";
import {
  hbaFile,
  logFile,
  prepareFolders,
  routesFile,
  settingsFile,
  socketDir,
  trialDir,
  usersFile,
} from "./layout.ts";
import { launch } from "./process.ts";
import type { Program } from "./program.ts";
import { type RoutesMark, renderRoutes, renderSettings } from "./render.ts";
import { renderUsers, TRUST_RULES } from "./users.ts";

const TRIAL_LIMIT_MS: Ms = 10_000;

export interface FilesInput {
  readonly settings: PgbouncerSettings;
  readonly holdLimitMs: Ms;
  readonly program: Program;
  /** The password of the console. */
  readonly key: string;
  readonly mark: RoutesMark;
  readonly clock: Clock;
}

export interface FileText {
  readonly path: string;
  readonly text: string;
}

/** All files as they shall be. Throws CONFIG_INVALID. */
export async function renderFiles(input: FilesInput): Promise<readonly FileText[]> {
  const { settings, program, mark } = input;
  const { dir } = settings;
  const each = numbersOf(settings).map((number) => ({
    path: settingsFile(dir, number),
    text: renderSettings({ ...input, version: program.version }, number),
  }));
  return [
    { path: usersFile(dir), text: await renderUsers(settings.auth, input.key) },
    ...(settings.auth.type === "trust" ? [{ path: hbaFile(dir), text: TRUST_RULES }] : []),
    { path: routesFile(dir), text: renderRoutes({ settings, ...mark }) },
    ...each,
  ];
}

/** The processes are counted from 1. */
export const numbersOf = ({ processes }: PgbouncerSettings): readonly number[] =>
  Array.from({ length: processes }, (_, index) => index + 1);

/**
 * Puts in place what differs; answers whether anything did. Settings that PgBouncer does not start with are refused
 * with its own words, and the files that are there stay.
 */
export async function replaceFiles(
  input: FilesInput,
  files: readonly FileText[],
  signal: AbortSignal,
): Promise<boolean> {
  const changed: FileText[] = [];
  for (const file of files) {
    if ((await readIfPresent(file.path)) !== file.text) changed.push(file);
  }
  const isOnlyRoutes = changed.every(({ path }) => path === routesFile(input.settings.dir));
  if (changed.length === 0) return false;
  if (!isOnlyRoutes) await tryOut(input, signal);
  await writeFiles(input.program, changed);
  return true;
}

/** Runs the new settings where nobody connects, until the console answers. */
async function tryOut(input: FilesInput, signal: AbortSignal): Promise<void> {
  const { settings, program, clock, key } = input;
  const dir = trialDir(settings.dir);
  const { port } = settings.listen;
  const trial = { ...settings, dir, processes: 1, listen: { host: "", port } };
  using limit = clock.deadline(TRIAL_LIMIT_MS, signal);
  try {
    await prepareFolders(dir, [1], program.user);
    await writeFiles(program, await renderFiles({ ...input, settings: trial }));
    const child = await launch({
      program,
      settings: settingsFile(dir, 1),
      log: logFile(dir, 1),
      console: { socketDir: socketDir(dir, 1), port, password: key },
      isTrial: true,
      clock,
      signal: limit.signal,
    });
    child.kill("SIGKILL");
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== "PGBOUNCER_FAILED") throw error;
    throw new AppError("PGBOUNCER_FAILED", "trying PgBouncer's new settings", error.why, error);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function writeFiles({ user }: Program, files: readonly FileText[]): Promise<void> {
  for (const { path, text } of files) await writeDurably(path, text, { mode: 0o600, owner: user });
}
