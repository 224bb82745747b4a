// A file that the settings name, such as a certificate: it is there, or one line says which one is missing.
import { readFileSync } from "node:fs";
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
