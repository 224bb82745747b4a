// Waiting in tests: for a named condition, with a limit, never for a while.
import { setTimeout as pause } from "node:timers/promises";

const WAIT_LIMIT_MS = 30_000;

export async function until(name: string, isTrue: () => Promise<boolean> | boolean): Promise<void> {
  const end = Date.now() + WAIT_LIMIT_MS;
  while (!(await isTrue())) {
    if (Date.now() > end) throw new Error(`waited ${WAIT_LIMIT_MS} ms in vain: ${name}`);
    await pause(10);
  }
}
