// The one command that starts a real cluster: installs what the lab needs and no more, builds, and
// hands over to `understudy lab up`. Arguments go on to it: `npm run lab -- --nodes 5`.
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
const started =
  ready && existsSync(cli) && run(process.execPath, [cli, "lab", "up", ...process.argv.slice(2)]);
process.exitCode = started ? 0 : 1;
