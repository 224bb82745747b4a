// Which settings does this node have? Reads its file, shows what is wrong with it.
import { readFile } from "node:fs/promises";
import { AppError } from "../model/error.ts";
import { printFinding } from "../model/finding.ts";
import type { NodeSettings } from "../model/settings.ts";
import { parseNodeFile } from "../model/settings-file.ts";

/** The node's settings, or undefined after its problems have been printed. Throws CONFIG_NOT_FOUND. */
export async function loadNode(file: string): Promise<NodeSettings | undefined> {
  const parsed = parseNodeFile(await text(file), file);
  for (const finding of parsed.warnings)
    process.stderr.write(`warning: ${printFinding(finding)}\n`);
  if (parsed.kind === "settings") return parsed.settings;
  for (const finding of parsed.problems) process.stderr.write(`${printFinding(finding)}\n`);
  return undefined;
}

async function text(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new AppError("CONFIG_NOT_FOUND", `read ${file}`, why, error);
  }
}
