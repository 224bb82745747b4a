// How is a program's output a stream that fails when the program does, and how is a stream fed to one?
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { Ending } from "../adapters/system/ending.ts";
import { AppError } from "../model/error.ts";

export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

const LAST_WORDS = 2_000;

/** What it prints. Ends only after the program has, with exit code 0; else throws NOT_POSSIBLE with its last words. */
export async function* outputOf(command: Command, signal: AbortSignal): AsyncIterable<Uint8Array> {
  const { child, end } = start(command, signal, "ignore");
  try {
    if (child.stdout !== null) yield* child.stdout as AsyncIterable<Uint8Array>;
    await end;
  } finally {
    child.kill("SIGKILL");
    await end.catch(() => undefined);
  }
}

/** Gives it the content and answers what it prints. It may stop reading early: its exit code alone counts. */
export async function feed(
  command: Command,
  content: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<string> {
  const { child, end } = start(command, signal, "pipe");
  let printed = "";
  child.stdout?.on("data", (text: Buffer) => {
    printed += text.toString("utf8");
  });
  try {
    await pour(content, child);
    await end;
    return printed;
  } finally {
    child.kill("SIGKILL");
    await end.catch(() => undefined);
  }
}

async function pour(content: AsyncIterable<Uint8Array>, child: ChildProcess): Promise<void> {
  const { stdin } = child;
  if (stdin === null) return;
  const ending = new Ending();
  stdin.once("close", () => ending.end(undefined));
  stdin.once("error", () => ending.end(undefined));
  for await (const bytes of content) {
    if (stdin.destroyed || child.exitCode !== null) break;
    if (!stdin.write(bytes)) await ending.before(once(stdin, "drain")).catch(() => undefined);
  }
  stdin.end();
}

function start(
  { program, args, environment }: Command,
  signal: AbortSignal,
  input: "ignore" | "pipe",
) {
  signal.throwIfAborted();
  const { PATH = "", HOME = "" } = process.env;
  const child = spawn(program, args, {
    stdio: [input, "pipe", "pipe"],
    env: { PATH, HOME, LC_MESSAGES: "C", PGCONNECT_TIMEOUT: "10", ...environment },
    signal,
  });
  let words = "";
  child.stderr?.on("data", (text: Buffer) => {
    words = `${words}${text.toString("utf8")}`.slice(-LAST_WORDS);
  });
  const end = new Promise<void>((resolve, reject) => {
    const attempt = `running ${program}`;
    child.once("error", (error) => {
      reject(
        signal.aborted ? signal.reason : new AppError("PG_NO_TOOL", attempt, error.message, error),
      );
    });
    child.once("close", (code, name) => {
      if (code === 0) resolve();
      else
        reject(
          new AppError("NOT_POSSIBLE", attempt, words.trim() || `it ended with ${name ?? code}`),
        );
    });
  });
  end.catch(() => undefined);
  return { child, end };
}
