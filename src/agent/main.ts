// The agent's program: arguments, the node's file, signals, and the order of leaving.
import { existsSync } from "node:fs";
import { ENVIRONMENT, isInEnvironment } from "../adapters/system/node-file.ts";
import { loadNode } from "./load.ts";
import { report } from "./report.ts";
import { runAgent } from "./run.ts";
import { runRouter } from "./run-router.ts";

function configArgument(args: readonly string[]): string | undefined {
  const at = args.findIndex((a) => a === "-c" || a === "--config");
  return at < 0 ? process.env["UNDERSTUDY_CONFIG"] : args[at + 1];
}

const USUAL_FILE = "/etc/understudy/understudy.yml";

/** Containers that Patroni gets its settings from by variables alone have no file. */
const withoutArgument = (): string =>
  !existsSync(USUAL_FILE) && isInEnvironment() ? ENVIRONMENT : USUAL_FILE;

const say = (line: string): void => void process.stderr.write(`${line}\n`);

async function main(): Promise<number> {
  const file = configArgument(process.argv.slice(2)) ?? withoutArgument();
  try {
    const loaded = await loadNode(file, {
      warning: (finding) => say(`warning: ${finding}`),
      problem: (finding) => say(`problem: ${finding}`),
    });
    if (loaded.kind === "router") return await runRouter(loaded.settings);
    return await runAgent(file, loaded);
  } catch (error) {
    return report(error);
  }
}

process.exitCode = await main();
// Idle sockets of the store and of peers must not keep a finished agent alive.
setTimeout(() => process.exit(), 500).unref();
