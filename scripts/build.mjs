// What is shipped? One self-contained bundle a program, so that an agent starts fast and small.

import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { NODE_BUNDLES, NODE_BUNDLES_FILE, PROGRAMS } from "./programs.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));

const commit = capturedCommit();

function capturedCommit() {
  const { status, stdout } = spawnSync("git", ["rev-parse", "--short", "HEAD"], {
    cwd: root,
    encoding: "utf8",
  });
  return status === 0 ? stdout.trim() : "unknown";
}

// A missing one is skipped, so that a half-built house still builds.
const present = PROGRAMS.filter(({ entry }) => existsSync(join(root, entry)));
for (const { name, entry } of PROGRAMS) {
  if (!existsSync(join(root, entry)))
    console.log(`build: ${name} skipped, there is no ${entry} yet`);
}

// Files are renamed into place: a running lab never meets half a bundle, two builds never mix.
const staging = join(root, ".cache", `build-${process.pid}`);
mkdirSync(staging, { recursive: true });
mkdirSync(join(root, "dist"), { recursive: true });
try {
  await Promise.all(present.map(bundle));
  writeFileSync(join(staging, NODE_BUNDLES_FILE), JSON.stringify(NODE_BUNDLES));
  for (const file of readdirSync(staging)) {
    renameSync(join(staging, file), join(root, "dist", file));
  }
} finally {
  rmSync(staging, { recursive: true, force: true });
}

/** @param {import("./programs.mjs").Program} program */
async function bundle({ name, entry, executable = false }) {
  const started = performance.now();
  const outfile = join(staging, `${name}.mjs`);
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: [entry],
    outfile,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
    external: ["pg-native"],
    minifySyntax: true,
    // A program keeps its own text in memory; names stay, for the traces of errors.
    minifyWhitespace: true,
    lineLimit: 200,
    // A failing schedule is reported with the commit that it was played on.
    define: { "process.env.UNDERSTUDY_COMMIT": JSON.stringify(commit) },
    sourcemap: true,
    metafile: true,
    logLevel: "warning",
    banner: { js: banner(executable) },
  });
  keepAscii(outfile);
  // The tidy tests read this to see what each bundle drags along.
  writeFileSync(join(staging, `${name}.meta.json`), JSON.stringify(metafile));
  if (executable) chmodSync(outfile, 0o755);
  const kilobytes = Math.ceil(statSync(outfile).size / 1024);
  const took = Math.round(performance.now() - started);
  console.log(`build: dist/${name}.mjs, ${kilobytes} kB, ${took} ms`);
}

/**
 * One letter beyond ASCII makes V8 keep the whole program in two bytes a letter: for the agent 1.6 MB, for a dash in a
 * comment of a library. The bundler writes ASCII everywhere but in comments.
 */
function keepAscii(/** @type {string} */ outfile) {
  const text = readFileSync(outfile, "utf8");
  const lines = text.split("\n").map((line) => {
    if (!/[\u0080-\uffff]/.test(line)) return line;
    if (!/^\s*(\/\/|\/?\*)/.test(line)) throw new Error(`not ASCII: ${line.slice(0, 200)}`);
    return line.replaceAll(/[\u0080-\uffff]/g, "?");
  });
  writeFileSync(outfile, lines.join("\n"));
}

/** CommonJS packages inside an ES module bundle still call require(), which an ES module lacks. */
function banner(/** @type {boolean} */ executable) {
  const lines = executable ? ["#!/usr/bin/env node"] : [];
  lines.push('import { createRequire as __createRequire } from "node:module";');
  lines.push("const require = __createRequire(import.meta.url);");
  return lines.join("\n");
}
