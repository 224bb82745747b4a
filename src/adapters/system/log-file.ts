// A file that the log is appended to, and opened again when it has been rotated.
import { closeSync, mkdirSync, openSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { AppError } from "../../model/error.ts";

export interface LogFile {
  write(line: string): void;
  /** What was renamed stays as it is; lines go to a new file of the same name from now on. */
  reopen(): void;
  close(): void;
}

/** Throws CONFIG_INVALID when the file can never be written; a full disk is no such reason. */
export function openLogFile(path: string): LogFile {
  let file: number | undefined = open(path);
  const write = (line: string): void => {
    try {
      if (file === undefined) throw new Error("the log file is not open");
      writeSync(file, line);
    } catch {
      // Last words must arrive somewhere, and a log must never stop the agent.
      tryTo(() => writeSync(2, line));
    }
  };
  const close = (): void => {
    const old = file;
    file = undefined;
    if (old !== undefined) tryTo(() => closeSync(old));
  };
  return {
    write,
    reopen() {
      const next = open(path);
      close();
      file = next;
    },
    close,
  };
}

function open(path: string): number | undefined {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
    return openSync(path, "a", 0o640);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : "";
    if (code === "ENOSPC" || code === "EDQUOT") return undefined;
    const why = error instanceof Error ? error.message : String(error);
    throw new AppError("CONFIG_INVALID", `opening the log file ${path}`, why, error);
  }
}

function tryTo(act: () => void): void {
  try {
    act();
  } catch {
    // There is nobody left to tell.
  }
}
