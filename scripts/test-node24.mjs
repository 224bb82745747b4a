// Do the tests pass on Node 24, which users are told to use? Unit and simulator tests, and one file
// with real servers, run by the Node 24 that the test servers' package brings.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { installPackages, requireNode, root, run } from "./steps.mjs";

const servers = join(root, "test", "servers");

requireNode();
if (!installPackages() || !installPackages({ folder: servers })) process.exit(1);

const node = join(servers, "node_modules", "node24", "bin", "node");
const vitest = (/** @type {string[]} */ ...args) =>
  run(node, [join(root, "node_modules", "vitest", "vitest.mjs"), "run", ...args]);

const pure = vitest("--project", "unit", "--project", "sim");
const oneReal = firstRealTest();
const real = oneReal === undefined || vitest("--project", "real", oneReal);
process.exit(pure && real ? 0 : 1);

function firstRealTest() {
  try {
    return readdirSync(join(root, "test", "real")).find((name) => name.endsWith(".test.ts"));
  } catch {
    return undefined;
  }
}
