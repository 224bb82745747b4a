// Does all of it work? Installs what is missing, runs every check and every test, and ends with one
// plain line of totals. `npm test -- unit sim` runs only those projects.
import { join } from "node:path";
import { PROJECTS, runProjects, WITH_SERVERS } from "./lanes.mjs";
import { installPackages, installSystemPackages, requireNode, root, run, say } from "./steps.mjs";

const totals = { passed: 0, failed: 0, skipped: 0 };

requireNode();
// Ctrl-C reaches the tests as well, which take down what they made; until then nobody leaves.
const stopped = new AbortController();
process.on("SIGINT", () => stopped.abort());
if (!process.stdout.isTTY) process.env.NO_COLOR = "1";
const asked = process.argv.slice(2);
const unknown = asked.filter((name) => name !== "check" && !PROJECTS.includes(name));
if (unknown.length > 0) {
  console.error(
    `There is no test project ${unknown.join(", ")}: choose from check, ${PROJECTS.join(", ")}.`,
  );
  process.exit(2);
}
const wants = (/** @type {string} */ name) => asked.length === 0 || asked.includes(name);
const chosen = PROJECTS.filter(wants);

if (prepare()) await runEverything();
printTotals();

/** Without packages or a build nothing below could even start; a missing server fails the run later. */
function prepare() {
  if (!count("npm packages", installPackages())) return false;
  if (chosen.some((name) => WITH_SERVERS.has(name))) {
    count("system packages", installSystemPackages("test"));
    count("servers for the tests", installPackages({ folder: join(root, "test", "servers") }));
  } else if (chosen.includes("node24")) {
    count("Node 24", installPackages({ folder: join(root, "test", "servers") }));
  }
  say("build");
  return count("build", run(process.execPath, [join(root, "scripts", "build.mjs")]));
}

async function runEverything() {
  if (wants("check")) {
    say("check");
    const { runChecks } = await import("./check.mjs");
    add(await runChecks());
  }
  say("tests");
  await runProjects(chosen, add, stopped.signal);
}

/** A step that succeeds is no test; one that fails is a failure of the run. */
function count(/** @type {string} */ what, /** @type {boolean} */ ok) {
  if (ok) return true;
  console.error(`FAILED  ${what}`);
  totals.failed += 1;
  return false;
}

function add(/** @type {{ passed: number, failed: number, skipped: number }} */ more) {
  totals.passed += more.passed;
  totals.failed += more.failed;
  totals.skipped += more.skipped;
}

function printTotals() {
  const skipped = totals.skipped > 0 ? `, ${totals.skipped} skipped` : "";
  console.log(`\n${totals.passed} passed, ${totals.failed} failed${skipped}`);
  process.exitCode = totals.failed === 0 && totals.passed > 0 ? 0 : 1;
  if (stopped.signal.aborted) process.exitCode = 130;
}
