// The fence's own few words: one JSON object a line, written at once, and never a reason to fail.
import { writeSync } from "node:fs";

export type Say = (message: string, fields?: Readonly<Record<string, unknown>>) => void;

export const say: Say = (message, fields = {}) => {
  try {
    const time = new Date().toISOString();
    writeSync(2, `${JSON.stringify({ time, pid: process.pid, msg: message, ...fields })}\n`);
  } catch {
    // A full disk must not stop the one process that can still end the server.
  }
};
