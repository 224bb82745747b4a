// Does all of it work? Installs what is missing, runs every check and every test, and ends with one
// plain line of totals. `npm test -- unit sim` runs only those projects.
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import {
  installPackages,
  installSystemPackages,
  program,
  requireNode,
  root,
  run,
  say,
} from "./steps.mjs";

/** Quick ones first: whoever broke something wants to know soon. */
const projects = ["tidy", "unit", "node24", "sim", "contract", "real", "chaos"];
const withServers = new Set(["contract", "real", "chaos"]);

const results = join(root, ".cache", "results");
const totals = { passed: 0, failed: 0, skipped: 0 };

requireNode();
if (!process.stdout.isTTY) process.env.NO_COLOR = "1";
const asked = process.argv.slice(2);
const unknown = asked.filter((name) => name !== "check" && !projects.includes(name));
if (unknown.length > 0) {
  console.error(
    `There is no test project ${unknown.join(", ")}: choose from check, ${projects.join(", ")}.`,
  );
  process.exit(2);
}
const wants = (/** @type {string} */ name) => asked.length === 0 || asked.includes(name);
const chosen = projects.filter(wants);

if (prepare()) await runEverything();
printTotals();

/** Without packages or a build nothing below could even start; a missing server fails the run later. */
function prepare() {
  if (!count("npm packages", installPackages())) return false;
  if (chosen.some((name) => withServers.has(name))) {
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
  mkdirSync(results, { recursive: true });
  for (const name of chosen) {
    say(name);
    runProject(name);
  }
}

/** Node 24 is what users are told to use: the unit tests pass there too. */
function runProject(/** @type {string} */ name) {
  const report = join(results, `${name}.json`);
  rmSync(report, { force: true });
  const options = ["run", "--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  const ok =
    name === "node24"
      ? run(node24(), [
          join(root, "node_modules", "vitest", "vitest.mjs"),
          ...options,
          "--project",
          "unit",
        ])
      : run(program("vitest"), [...options, "--project", name]);
  add(countReport(report, ok));
}

function node24() {
  return join(root, "test", "servers", "node_modules", "node24", "bin", "node");
}

/**
 * Adds up one report of vitest. A file that could not be loaded has no tests to fail, and a run can
 * fail without a failed test (an error nobody caught): each counts as one failure, so none is lost.
 * @param {string} report
 * @param {boolean} ok
 */
function countReport(report, ok) {
  if (!existsSync(report)) return { passed: 0, failed: ok ? 0 : 1, skipped: 0 };
  const told = JSON.parse(readFileSync(report, "utf8"));
  const brokenFiles = told.testResults.filter(
    (/** @type {{ status: string, assertionResults: { status: string }[] }} */ file) =>
      file.status === "failed" && !file.assertionResults.some(({ status }) => status === "failed"),
  );
  const failed = told.numFailedTests + brokenFiles.length;
  return {
    passed: told.numPassedTests,
    failed: ok ? failed : Math.max(failed, 1),
    skipped: told.numPendingTests + told.numTodoTests,
  };
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
}
