// What does a code in a log line mean, and what is to be done? Answered without any cluster.
import type { Command } from "commander";
import { ERRORS } from "../model/error.ts";
import { didYouMean } from "../model/nearest.ts";
import { ALL_REASONS } from "../model/reason.ts";
import { CliFailure, EXIT } from "./exit.ts";
import { print } from "./terminal.ts";

/** The lines about a code, in either spelling; undefined when there is none of that name. */
export function explain(code: string): readonly string[] | undefined {
  const reason = Object.entries(ALL_REASONS).find(([name]) => name === code.toLowerCase());
  if (reason !== undefined) return [`${reason[0]} (a reason)`, reason[1]];
  const error = Object.entries(ERRORS).find(([name]) => name === code.toUpperCase());
  if (error === undefined) return undefined;
  const [name, [what, next]] = error;
  return [`${name} (an error)`, what, `what next: ${next}`];
}

const codes = (): readonly string[] => [...Object.keys(ALL_REASONS), ...Object.keys(ERRORS)];

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
    .argument("[code]", "a reason or an error code; all are listed when left out")
    .description("what a code means and what is to be done")
    .action(run);
}
