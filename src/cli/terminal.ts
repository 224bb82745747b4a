// How do we talk to the person at the terminal? Data to stdout, talk to stderr.
import { createInterface } from "node:readline/promises";
import pc from "picocolors";
import { CliFailure, EXIT } from "./exit.ts";

const NARROW = 80;

/** Columns that a screen may use: a pipe gets as many as a narrow terminal. */
export const width = (): number => Math.max(40, Math.min(process.stdout.columns ?? NARROW, 100));

export const isTerminal = (): boolean => process.stdout.isTTY && process.stdin.isTTY;

export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

export function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** For programs: one JSON text, two spaces deep, or one line of it for a stream. */
export const printJsonText = (value: unknown, oneLine = false): void =>
  print(JSON.stringify(value, undefined, oneLine ? undefined : 2));

/** A question with no as its default. Without a terminal there is nobody to ask. */
export async function agree(question: string, yes: boolean): Promise<void> {
  if (yes) return;
  if (!isTerminal()) {
    throw new CliFailure(EXIT.refused, "nobody can be asked", question, "say --yes to agree");
  }
  const answer = await ask(`${question} [y/N] `);
  if (!/^y(?:es)?$/i.test(answer)) throw new CliFailure(EXIT.refused, "nothing was done");
}

interface NameGuard {
  readonly name: string;
  /** What happens to it, as a sentence. */
  readonly consequence: string;
  /** The name as given by `--confirm`. */
  readonly confirmed: string | undefined;
}

/** The guard of what can lose data: the name of the target must be typed. */
export async function agreeByName({ name, consequence, confirmed }: NameGuard): Promise<void> {
  if (confirmed === name) return;
  if (confirmed !== undefined || !isTerminal()) {
    const next = `say --confirm ${name}`;
    throw new CliFailure(EXIT.refused, consequence, "it was not confirmed by name", next);
  }
  say(pc.yellow(consequence));
  const answer = await ask(`Type ${name} to go on: `);
  if (answer !== name) throw new CliFailure(EXIT.refused, "nothing was done");
}

async function ask(question: string): Promise<string> {
  const dialogue = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return (await dialogue.question(question)).trim();
  } finally {
    dialogue.close();
  }
}

/** Breaks a sentence into lines at spaces. */
export function wrap(sentence: string, columns: number): string {
  const lines: string[] = [];
  for (const word of sentence.split(" ")) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > columns) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines.join("\n");
}
