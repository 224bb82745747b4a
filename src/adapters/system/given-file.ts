// A file that the settings name, such as a certificate: it is there, or one line says which one is missing.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { AppError } from "../../model/error.ts";

/** Throws CONFIG_INVALID naming the file that cannot be read. */
export function readGivenFile(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new AppError("CONFIG_INVALID", `reading ${path}`, why, error);
  }
}

/** Every file of a folder that the settings name. Throws CONFIG_INVALID naming what cannot be read. */
export function readGivenFolder(path: string): readonly Buffer[] {
  try {
    const entries = readdirSync(path, { withFileTypes: true });
    return entries
      .filter((entry) => !entry.isDirectory())
      .map(({ name }) => readGivenFile(join(path, name)));
  } catch (error) {
    if (error instanceof AppError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new AppError("CONFIG_INVALID", `reading ${path}`, why, error);
  }
}
