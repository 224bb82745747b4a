// Would today's code decide the same in yesterday's worlds? Reads a flight recorder's file and names each difference.
import { readFileSync } from "node:fs";
import { decide } from "../controllers/ha/decide.ts";
import type { HaWorld } from "../controllers/ha/world.ts";
import { AppError } from "../model/error.ts";
import { printRfc3339 } from "../model/wire/rfc3339.ts";
import { parseWorld } from "../node/world-text.ts";

export interface Difference {
  readonly line: number;
  readonly at: string;
  readonly recorded: string;
  readonly today: string;
}

export interface Replayed {
  readonly decisions: number;
  /** Lines that hold no world: cut short by a power cut, or of another version. */
  readonly unread: number;
  readonly differences: readonly Difference[];
}

interface Recorded {
  readonly wallMs: number;
  readonly because: string;
  readonly step: string | undefined;
  readonly world: HaWorld;
}

/** Runs `decide` on every world of a recording. */
export function replay(text: string): Replayed {
  const differences: Difference[] = [];
  let decisions = 0;
  let unread = 0;
  for (const [index, line] of text.split("\n").entries()) {
    if (line === "") continue;
    const recorded = recordedIn(line);
    const today = recorded && decidedToday(recorded.world);
    if (recorded === undefined || today === undefined) {
      unread += 1;
      continue;
    }
    decisions += 1;
    const before = nameOf(recorded.because, recorded.step);
    if (before !== today)
      differences.push({
        line: index + 1,
        at: printRfc3339(recorded.wallMs),
        recorded: before,
        today,
      });
  }
  return { decisions, unread, differences };
}

const nameOf = (because: string, step: string | undefined): string =>
  step === undefined ? because : `${because} (${step})`;

/** Undefined where the world is of a form that this version cannot decide in. */
function decidedToday(world: HaWorld): string | undefined {
  try {
    const { because, step } = decide(world);
    return nameOf(because, step?.kind);
  } catch {
    return undefined;
  }
}

function recordedIn(line: string): Recorded | undefined {
  try {
    const value = parseWorld(line) as Partial<Recorded>;
    const isWhole =
      typeof value.wallMs === "number" &&
      typeof value.because === "string" &&
      typeof value.world === "object";
    return isWhole ? (value as Recorded) : undefined;
  } catch {
    return undefined;
  }
}

/** What a replay says to people, and its exit code: 0 the same, 2 no recording, 3 differences. */
function replayed(
  path: string,
  text: string,
): { readonly lines: readonly string[]; readonly exit: number } {
  const { decisions, unread, differences } = replay(text);
  if (decisions === 0) {
    const lines = [
      `${path} holds no world that can be decided in`,
      unread === 0 ? "it is empty" : `${unread} lines are damaged or of another version`,
      "a node keeps its recording as recorder.jsonl in its state directory",
    ];
    return { lines, exit: 2 };
  }
  const left = unread === 0 ? "" : `; ${unread} lines could not be read`;
  const count = `${decisions} decisions, ${differences.length} of them would be others today${left}`;
  const each = differences.map(
    (one) => `${one.at} line ${one.line}: ${one.recorded} → ${one.today}`,
  );
  return { lines: [...each, count], exit: differences.length === 0 ? 0 : 3 };
}

/** The program behind `understudy replay`. */
export function replayFile(path: string): number {
  try {
    const { lines, exit } = replayed(path, readFileSync(path, "utf8"));
    console.log(lines.join("\n"));
    return exit;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new AppError("NOT_POSSIBLE", `read the recording ${path}`, why, error);
  }
}
