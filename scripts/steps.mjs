// The pieces that every entry script is made of. Only `node:` modules, since nothing is installed yet
// when the first of them runs in a fresh clone.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

const LOWEST_NODE = [20, 19];

/** Says in one line what to do when this Node.js is too old to run anything here. */
export function requireNode() {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const [wantedMajor = 0, wantedMinor = 0] = LOWEST_NODE;
  if (major > wantedMajor || (major === wantedMajor && minor >= wantedMinor)) return;
  console.error(
    `Node.js ${process.versions.node} is too old: install ${LOWEST_NODE.join(".")} or newer (24 is best).`,
  );
  process.exit(1);
}

/** Prints a heading, so that a long run can be followed. */
export function say(/** @type {string} */ text) {
  console.log(`\n── ${text}`);
}

/**
 * Runs a command in the foreground and answers whether it succeeded.
 * @param {string} command
 * @param {string[]} args
 * @param {{ env?: Record<string, string>, cwd?: string }} [options]
 */
export function run(command, args, options = {}) {
  const done = spawnSync(command, args, {
    cwd: options.cwd ?? root,
    env: { ...process.env, ...options.env },
    stdio: ["inherit", "inherit", "inherit"],
  });
  if (done.error) console.error(`${command}: ${done.error.message}`);
  return done.status === 0;
}

/**
 * Runs a command, keeps what it prints, and answers both.
 * @param {string} command
 * @param {string[]} args
 * @returns {Promise<{ ok: boolean, output: string }>}
 */
export function capture(command, args) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    child.stdout.on("data", (chunk) => (output += chunk));
    child.stderr.on("data", (chunk) => (output += chunk));
    child.on("error", (error) => resolve({ ok: false, output: `${command}: ${error.message}` }));
    child.on("close", (code) => resolve({ ok: code === 0, output }));
  });
}

/** The path of a program that a package brought. */
export function program(/** @type {string} */ name) {
  return join(root, "node_modules", ".bin", name);
}

/**
 * Brings the packages of a lockfile, unless exactly they are there already.
 * @param {{ folder?: string, omitDev?: boolean }} [options]
 */
export function installPackages({ folder = root, omitDev = false } = {}) {
  if (packagesAreThere(folder, omitDev)) return true;
  say(`npm ci${omitDev ? " (without what only the tests need)" : ""} in ${folder}`);
  const omit = omitDev ? ["--omit=dev"] : [];
  return run("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error", ...omit], {
    cwd: folder,
  });
}

/** npm keeps a copy of the lockfile of what it installed: the two are compared version by version. */
function packagesAreThere(/** @type {string} */ folder, /** @type {boolean} */ omitDev) {
  const copy = join(folder, "node_modules", ".package-lock.json");
  if (!existsSync(copy)) return false;
  const wanted = packagesIn(join(folder, "package-lock.json"));
  const installed = packagesIn(copy);
  return Object.entries(wanted)
    .filter(([path, entry]) => path !== "" && entry.optional !== true && entry.devOptional !== true)
    .filter(([, entry]) => !(omitDev && entry.dev === true))
    .every(([path, entry]) => installed[path]?.version === entry.version);
}

/**
 * @param {string} lockfile
 * @returns {Record<string, { version?: string, dev?: boolean, optional?: boolean, devOptional?: boolean }>}
 */
function packagesIn(lockfile) {
  return JSON.parse(readFileSync(lockfile, "utf8")).packages;
}

/** Brings the system's packages: what the lab needs, or what the tests need on top. */
export function installSystemPackages(/** @type {"lab" | "test"} */ what) {
  return run("bash", [join(root, "scripts", "setup.sh"), what]);
}
