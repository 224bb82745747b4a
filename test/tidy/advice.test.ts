// Do the commands that we advise exist, flags and all? In docs, in alerts, and in the sentences of the code.
import type { Command } from "commander";
import { expect, it } from "vitest";
import { buildProgram } from "../../src/cli/program.ts";
import { textFiles, textOf } from "./tree.ts";

const PLACES = ["docs", "monitoring", "src/cli", "src/incident", "src/model"].flatMap(textFiles);
const SENTENCE = /\bunderstudy((?: --?[a-z][\w-]*| [\w.-]+)+)/g;
/** It reads its words itself. */
const READS_ALONE = ["lab"];

const program = buildProgram();

/** The command that is meant, and what else was written behind it; undefined where the words are no command of ours. */
function meant(
  words: readonly string[],
): { command: Command; flags: readonly string[] } | undefined {
  let command: Command = program;
  for (const word of words) {
    const next = command.commands.find((one) => one.name() === word);
    if (next === undefined) break;
    command = next;
  }
  const flags = words.filter((word) => word.startsWith("-"));
  const isOurs = command !== program && !READS_ALONE.includes(command.name());
  return isOurs ? { command, flags } : undefined;
}

const takes = (command: Command, flag: string): boolean =>
  flag === "--help" ||
  [command, command.parent, program].some((one) =>
    one?.options.some(({ long, short }) => long === flag || short === flag),
  );

it("names only flags that the commands take", () => {
  const advice = PLACES.flatMap((place) =>
    [...textOf(place).matchAll(SENTENCE)].flatMap(([whole, words = ""]) => {
      const advised = meant(words.trim().split(" "));
      return (advised?.flags ?? []).map((flag) => ({
        told: `${place}: ${whole}`,
        isRight: takes(advised?.command ?? program, flag),
      }));
    }),
  );
  expect(advice.length).toBeGreaterThan(50);
  expect(advice.filter(({ isRight }) => !isRight).map(({ told }) => told)).toEqual([]);
});

it("finds a flag that a command does not take", () => {
  const advised = meant(["logs", "n1", "--source", "server"]);
  expect(advised?.flags.map((flag) => takes(advised.command, flag))).toEqual([false]);
});
