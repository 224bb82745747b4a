// Which settings does this node have, and what is odd about its file?

import { withDiscovered } from "../adapters/etcd/discovery.ts";
import { aroundHere, readNodeText } from "../adapters/system/node-file.ts";
import { AppError } from "../model/error.ts";
import { printFinding } from "../model/finding.ts";
import type { AgentSettings } from "../model/settings.ts";
import { type NodeFile, parseNodeFile } from "../model/settings-file.ts";

/** Who hears about each oddity: the terminal at the start, the log at a reload. */
export interface Hearer {
  warning(finding: string): void;
  problem(finding: string): void;
}

export type LoadedNode = Exclude<NodeFile, { readonly kind: "refused" }>;

/**
 * The node's file, with the members of the store that only the DNS names. Throws CONFIG_NOT_FOUND, STORE_UNREACHABLE, or
 * CONFIG_INVALID after its problems have been told.
 */
export async function loadNode(file: string, tell: Hearer): Promise<LoadedNode> {
  const parsed = parseNodeFile(readNodeText(file), file, aroundHere(file));
  for (const finding of parsed.warnings) tell.warning(printFinding(finding));
  if (parsed.kind === "settings") return { ...parsed, settings: await discovered(parsed.settings) };
  if (parsed.kind === "router") return { ...parsed, settings: await discovered(parsed.settings) };
  const [first = "", ...more] = parsed.problems.map(printFinding);
  if (more.length > 0) for (const problem of [first, ...more]) tell.problem(problem);
  const why = more.length === 0 ? first : `${first} and ${more.length} more`;
  throw new AppError("CONFIG_INVALID", `reading ${file}`, why);
}

const discovered = async <T extends AgentSettings>(settings: T): Promise<T> => ({
  ...settings,
  store: await withDiscovered(settings.store),
});
