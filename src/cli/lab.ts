// How does `understudy lab …` reach the lab? As a program of its own, so that this one stays small.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import { AppError } from "../model/error.ts";

interface Forwarded {
  readonly name: string;
  readonly description: string;
  /** What the lab's program calls it. */
  readonly first: readonly string[];
}

const FORWARDED: readonly Forwarded[] = [
  {
    name: "lab",
    description: "a real cluster on this machine: up, status, load, chaos, soak, down",
    first: [],
  },
  { name: "bench", description: "measure what faults cost, on labs of its own", first: ["bench"] },
  {
    name: "replay",
    description:
      "run today's decisions on a node's flight recorder (recorder.jsonl), and name what differs",
    first: ["replay"],
  },
];

/** Adds `lab`, `bench` and `replay`; everything behind them is the lab's own business. */
export function registerLab(program: Command): void {
  for (const { name, description, first } of FORWARDED) {
    program
      .command(name)
      .description(description)
      .argument("[args...]", `see understudy ${name} --help`)
      .allowUnknownOption()
      .helpOption(false)
      .action(async () => {
        // As they were written: options that look like ours are the lab's here.
        const written = process.argv.slice(process.argv.indexOf(name) + 1);
        process.exitCode = await runLab([...first, ...written]);
      });
  }
}

/** Runs the lab's bundle with these arguments and answers its exit code. */
async function runLab(args: readonly string[]): Promise<number> {
  const bundle = join(dirname(fileURLToPath(import.meta.url)), "lab.mjs");
  if (!existsSync(bundle)) {
    const why = "lab.mjs is not beside this program; the lab is part of the repository";
    throw new AppError("LAB_FAILED", "run the lab", why);
  }
  const child = spawn(process.execPath, [bundle, ...args], { stdio: "inherit" });
  // Ctrl-C reaches the lab too: it ends by itself and tells what it has.
  process.on("SIGINT", () => undefined);
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => resolve(code ?? (signal === "SIGINT" ? 130 : 1)));
  });
}
