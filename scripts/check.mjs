// Is the house in order? Types, lint, format, dead code and the tidy tests; changes nothing.
import { capture, installPackages, program, requireNode } from "./steps.mjs";

/** What each check is called in the output, and the command behind it. */
const checks = [
  { name: "types", command: program("tsc"), args: ["-b", "--pretty", "false"] },
  { name: "lint", command: program("oxlint"), args: ["--deny-warnings", "--format=unix"] },
  { name: "format and import order", command: program("biome"), args: ["ci", "--colors=off", "."] },
  { name: "reference pages", command: process.execPath, args: ["scripts/docs.mjs", "--check"] },
  { name: "dead code", command: program("knip"), args: ["--no-progress"] },
];

/** Runs every check, prints the words of those that failed, and answers how many did what. */
export async function runChecks() {
  const totals = { passed: 0, failed: 0, skipped: 0 };
  for (const { name, command, args } of checks) {
    const started = performance.now();
    const { ok, output } = await capture(command, args);
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    console.log(`${ok ? "ok    " : "FAILED"}  ${name} (${seconds} s)`);
    if (!ok) console.log(output);
    totals[ok ? "passed" : "failed"] += 1;
  }
  return totals;
}

if (process.argv[1] === import.meta.filename) {
  requireNode();
  if (!installPackages()) process.exit(1);
  const { failed } = await runChecks();
  const tidy = await capture(program("vitest"), ["run", "--project", "tidy"]);
  console.log(`${tidy.ok ? "ok    " : "FAILED"}  tidy tests`);
  if (!tidy.ok) console.log(tidy.output);
  process.exit(failed === 0 && tidy.ok ? 0 : 1);
}
