// What does a code in a log line mean, and what is to be done? Answered without any cluster.
import type { Command } from "commander";
import { DOCTOR_CHECKS } from "../model/doctor/examine.ts";
import { ERRORS } from "../model/error.ts";
import { didYouMean } from "../model/nearest.ts";
import { ALL_REASONS } from "../model/reason.ts";
import { CliFailure, EXIT } from "./exit.ts";
import { print } from "./terminal.ts";

/** The lines about a code, in either spelling; undefined when there is none of that name. */
export function explain(code: string): readonly string[] | undefined {
  const all = entries();
  // A reason and an error may have one name, and differ in the spelling alone.
  const entry =
    all.find(({ name }) => name === code) ??
    all.find(({ name }) => name.toLowerCase() === code.toLowerCase());
  return entry === undefined ? undefined : [`${entry.name} (${entry.kind})`, ...entry.words];
}

interface Entry {
  readonly name: string;
  readonly kind: string;
  readonly words: readonly string[];
}

const entries = (): readonly Entry[] => [
  ...Object.entries(ALL_REASONS).map(([name, words]) => ({
    name,
    kind: "a reason",
    words: [words],
  })),
  ...Object.entries(ERRORS).map(([name, [what, next]]) => ({
    name,
    kind: "an error",
    words: [what, `what next: ${next}`],
  })),
  ...DOCTOR_CHECKS.map(({ id, wanted, why, fix }) => ({
    name: id,
    kind: "a check of the doctor",
    words: [`wanted: ${wanted}`, why, `what next: ${fix}`],
  })),
];

const codes = (): readonly string[] => entries().map(({ name }) => name);

function run(code: string | undefined): void {
  if (code === undefined) {
    print(codes().join("\n"));
    return;
  }
  const lines = explain(code);
  if (lines === undefined) {
    const what = `there is no code ${code}${didYouMean(code, codes())}`;
    throw new CliFailure(EXIT.noSuchThing, what, "understudy explain lists all of them");
  }
  for (const line of lines) print(line);
}

export function registerExplain(program: Command): void {
  program
    .command("explain")
    .argument(
      "[code]",
      "a reason, an error code or a check of the doctor; all are listed when left out",
    )
    .description("what a code means and what is to be done")
    .action(run);
}
