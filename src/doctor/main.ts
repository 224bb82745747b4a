// The doctor's own program: looks at this host, prints what it saw as JSON, and ends. Agent and command line start it,
// so that neither carries what it needs.

import { readFileSync } from "node:fs";
import { aroundHere, readNodeText } from "../adapters/system/node-file.ts";
import type { Surroundings } from "../model/doctor/facts.ts";
import { printFinding } from "../model/finding.ts";
import { parseNodeFile } from "../model/settings-file.ts";
import { isObject, parseJson } from "../model/wire/json.ts";
import { fixWhatIsSafe } from "./fix.ts";
import { gather } from "./gather.ts";

const NOBODY: Surroundings = { peers: [], routers: [] };

/** `FILE [--fix]`; whom the agent knows of comes on standard input. */
async function main([file = "", ...flags]: readonly string[]): Promise<number> {
  const node = parseNodeFile(readNodeText(file), file, aroundHere(file));
  if (node.kind === "refused") {
    process.stderr.write(`${node.problems.map(printFinding).join("\n")}\n`);
    return 2;
  }
  const around = surroundings(parseJson(readFileSync(0, "utf8")));
  const before = await gather(file, node, around);
  const fixes = flags.includes("--fix") ? fixWhatIsSafe(before) : [];
  const facts = fixes.length === 0 ? before : await gather(file, node, around);
  process.stdout.write(`${JSON.stringify({ kind: "DoctorFacts", facts, fixes })}\n`);
  return 0;
}

function surroundings(value: unknown): Surroundings {
  if (!isObject(value) || !Array.isArray(value["peers"]) || !Array.isArray(value["routers"])) {
    return NOBODY;
  }
  return value as unknown as Surroundings;
}

process.exitCode = await main(process.argv.slice(2));
