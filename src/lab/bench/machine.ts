// On what was measured? In general terms: nobody's machine is named.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { availableParallelism, totalmem } from "node:os";
import { join } from "node:path";
import { postgresBinDir, requireProgram } from "../programs.ts";

export interface Machine {
  readonly cores: number;
  readonly memoryGb: number;
  readonly system: string;
  readonly node: string;
  readonly postgres: string;
  readonly etcd: string;
}

export const describeMachine = (): Machine => ({
  cores: availableParallelism(),
  memoryGb: Math.round(totalmem() / 2 ** 30),
  system: /^PRETTY_NAME="?([^"\n]*)/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1] ?? "Linux",
  node: process.versions.node,
  postgres: versionOf(join(postgresBinDir(), "postgres"), "--version"),
  etcd: versionOf(requireProgram("etcd"), "--version"),
});

const versionOf = (program: string, flag: string): string =>
  /\d+\.\d+(?:\.\d+)?/.exec(execFileSync(program, [flag], { encoding: "utf8" }))?.[0] ?? "unknown";
