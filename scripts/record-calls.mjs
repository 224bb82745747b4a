// Records what the agents of a lab ask of their ports and are told: a kill, a switchover, a dead host and its rejoin.
// The lines replace those in test/contract/recordings. Needs a build.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const LAB = "recording";
const TARGET = new URL("../test/contract/recordings/", import.meta.url);
const folder = mkdtempSync(join(tmpdir(), "us-recording-"));

/** @param {readonly string[]} args */
function understudy(...args) {
  execFileSync(process.execPath, ["dist/cli.mjs", ...args], {
    stdio: ["ignore", "inherit", "inherit"],
    env: { ...process.env, UNDERSTUDY_RECORD_CALLS: folder },
  });
}

try {
  understudy("lab", "up", "--name", LAB);
  for (const fault of ["kill-postmaster", "switchover", "kill-node", "start-node"]) {
    understudy("lab", "chaos", fault, "--name", LAB);
  }
  understudy("lab", "load", "--name", LAB, "--seconds", "15");
} finally {
  understudy("lab", "down", "--name", LAB);
}
mkdirSync(TARGET, { recursive: true });
for (const file of readdirSync(folder)) {
  writeFileSync(new URL(file, TARGET), readFileSync(join(folder, file)));
}
rmSync(folder, { recursive: true });
