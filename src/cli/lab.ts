// How does `understudy lab …` reach the lab? As a program of its own, so that this one stays small.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import { AppError } from "../model/error.ts";

/** Adds `lab`; everything behind it is the lab's own business. */
export function registerLab(program: Command): void {
  program
    .command("lab")
    .description("a real cluster on this machine: up, status, load, chaos, down")
    .argument("[args...]", "see understudy lab --help")
    .allowUnknownOption()
    .passThroughOptions()
    .helpOption(false)
    .action(async (args: readonly string[]) => {
      process.exitCode = await runLab(args);
    });
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
