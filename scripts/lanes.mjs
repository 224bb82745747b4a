// Which tests run beside each other? What mostly waits, for leases and deadlines, shares the machine with
// what only computes; the latter has the lowest priority, so that it never makes a server late.
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism, constants, setPriority } from "node:os";
import { join } from "node:path";
import { program, root } from "./steps.mjs";

/** @typedef {{ passed: number, failed: number, skipped: number }} Totals */
/** @typedef {{ name: string, command: string, args: string[], yields: boolean, report: string }} Job */

/** Quick ones first: whoever broke something wants to know soon. */
const COMPUTING = ["tidy", "unit", "node24", "sim"];
/** Their servers share the addresses of the machine, so their files run one after another. */
const SERVERS = ["contract", "real"];
/** Its labs have addresses, directories and hosts of their own: two of them do not meet. */
const LABS = "chaos";

export const PROJECTS = [...COMPUTING, ...SERVERS, LABS];
export const WITH_SERVERS = new Set([...SERVERS, LABS]);

/** The files of `chaos` that take longest begin first, so that no lane is left with one at the end. */
export const LONGEST_FIRST = [
  "guards",
  "stories",
  "failsafe",
  "routed",
  "isolation",
  "cut",
  "sync",
];

/** With one core there is one lane: whatever waits there is waited for. */
const ENOUGH_CORES = 2;

const results = join(root, ".cache", "results");

/**
 * Runs the chosen projects, prints what each said when it ends, and tells the totals of each.
 * @param {readonly string[]} chosen
 * @param {(totals: Totals) => void} add
 * @param {AbortSignal} stopped nothing more is begun
 */
export async function runProjects(chosen, add, stopped) {
  mkdirSync(results, { recursive: true });
  const isChosen = (/** @type {string} */ name) => chosen.includes(name);
  const computing = COMPUTING.filter(isChosen).map((name) => jobOf(name));
  const servers = SERVERS.filter(isChosen).map((name) => jobOf(name));
  const labs = isChosen(LABS) ? chaosFiles().map((file) => jobOf(LABS, file)) : [];
  const lanes =
    availableParallelism() < ENOUGH_CORES
      ? [[computing, servers, labs]]
      : [[computing], [servers, labs], [labs]];
  await Promise.all(lanes.map((queues) => runLane(queues, add, stopped)));
}

/**
 * A lane takes the next job of its first queue that has one; two lanes may share a queue.
 * @param {Job[][]} queues
 * @param {(totals: Totals) => void} add
 * @param {AbortSignal} stopped
 */
async function runLane(queues, add, stopped) {
  const next = () => queues.find((queue) => queue.length > 0)?.shift();
  for (let job = next(); job !== undefined && !stopped.aborted; job = next()) {
    add(await runJob(job));
  }
}

/** @returns {readonly string[]} */
function chaosFiles() {
  const rank = (/** @type {string} */ name) => {
    const at = LONGEST_FIRST.indexOf(name);
    return at < 0 ? LONGEST_FIRST.length : at;
  };
  return readdirSync(join(root, "test", LABS))
    .filter((file) => file.endsWith(".test.ts"))
    .map((file) => file.slice(0, -".test.ts".length))
    .toSorted((a, b) => rank(a) - rank(b));
}

/**
 * Node 24 is what users are told to use: the unit tests pass there too.
 * @param {string} project
 * @param {string} [file] without its ending; all files when left out
 * @returns {Job}
 */
function jobOf(project, file) {
  const name = file === undefined ? project : `${project} ${file}`;
  const report = join(results, `${name.replace(" ", "-")}.json`);
  const isNode24 = project === "node24";
  const args = [
    ...(isNode24 ? [join(root, "node_modules", "vitest", "vitest.mjs")] : []),
    ...["run", "--reporter=default", "--reporter=json", `--outputFile.json=${report}`],
    ...["--project", isNode24 ? "unit" : project],
    ...(file === undefined ? [] : [join("test", project, `${file}.test.ts`)]),
  ];
  const command = isNode24
    ? join(root, "test", "servers", "node_modules", "node24", "bin", "node")
    : program("vitest");
  return { name, command, args, yields: COMPUTING.includes(project), report };
}

/**
 * Runs one job to its end. Its words come in one piece, since others talk at the same time.
 * @param {Job} job
 * @returns {Promise<Totals>}
 */
async function runJob({ name, command, args, yields, report }) {
  rmSync(report, { force: true });
  const started = performance.now();
  console.log(`begins  ${name}`);
  const { ok, output } = await listen(command, args, yields);
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  const said = output.trim();
  console.log(`\n── ${name} (${seconds} s)\n${said}${said === "" ? "" : "\n"}`);
  return countReport(report, ok);
}

/**
 * @param {string} command
 * @param {string[]} args
 * @param {boolean} yields
 * @returns {Promise<{ ok: boolean, output: string }>}
 */
function listen(command, args, yields) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
    // Its own children inherit this, so it comes before the first of them.
    if (yields && child.pid !== undefined) {
      setPriority(child.pid, constants.priority.PRIORITY_LOW);
    }
    let output = "";
    child.stdout.on("data", (chunk) => (output += chunk));
    child.stderr.on("data", (chunk) => (output += chunk));
    child.on("error", (error) => resolve({ ok: false, output: `${command}: ${error.message}` }));
    child.on("close", (code) => resolve({ ok: code === 0, output }));
  });
}

/**
 * Adds up one report of vitest. A file that could not be loaded has no tests to fail, and a run can
 * fail without a failed test (an error nobody caught): each counts as one failure, so none is lost.
 * @param {string} report
 * @param {boolean} ok
 * @returns {Totals}
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
