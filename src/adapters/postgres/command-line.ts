// Which parameters of the running server's command line would be others if it were started now?
import { join } from "node:path";
import type { PendingRestart } from "../../model/server.ts";
import { readIfPresent } from "../system/durable-file.ts";
import type { Settled } from "./parameters.ts";

/** The server notes its own command line in postmaster.opts: one line, each argument in double quotes. */
export function parseCommandLine(text: string): ReadonlyMap<string, string> {
  const words = [...text.matchAll(/"([^"]*)"/g)].map(([, word]) => word ?? "");
  const found = new Map<string, string>();
  words.forEach((word, index) => {
    const setting = words[index - 1] === "-c" ? word : "";
    const cut = setting.indexOf("=");
    if (cut > 0) found.set(setting.slice(0, cut), setting.slice(cut + 1));
  });
  return found;
}

export const optsPath = (dataDir: string): string => join(dataDir, "postmaster.opts");

/** Empty when nothing differs, or when the server was not started by us. */
export async function commandLineDifferences(
  dataDir: string,
  { commandLine }: Settled,
): Promise<readonly PendingRestart[]> {
  const running = parseCommandLine((await readIfPresent(optsPath(dataDir))) ?? "");
  return Object.entries(commandLine).flatMap(([parameter, newValue]) => {
    const oldValue = running.get(parameter);
    if (oldValue === undefined || oldValue === newValue) return [];
    return [{ parameter, oldValue, newValue }];
  });
}
