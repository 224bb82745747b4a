// The one command that starts a real cluster: installs what the lab needs and no more, builds, and
// hands over to `understudy lab up`, with backups that are made and drilled by themselves. Arguments go on to it:
// `npm run lab -- --nodes 5`.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { installPackages, installSystemPackages, requireNode, root, run } from "./steps.mjs";

const cli = join(root, "dist", "cli.mjs");

requireNode();
const ready =
  installSystemPackages("lab") &&
  installPackages({ omitDev: true }) &&
  run(process.execPath, [join(root, "scripts", "build.mjs")]);
if (ready && !existsSync(cli))
  console.error("The build made no command line, so no lab can start.");
// A lab that follows another one has the backups of that one.
const wishes = process.argv.slice(2);
const more = wishes.includes("--follow") ? [] : ["--schedules"];
const started =
  ready && existsSync(cli) && run(process.execPath, [cli, "lab", "up", ...more, ...wishes]);
process.exitCode = started ? 0 : 1;
