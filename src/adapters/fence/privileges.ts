// What sets the fence apart from its server: last to be killed for memory, first to run. The server gets neither.
import { writeFileSync } from "node:fs";
import { getPriority, setPriority } from "node:os";

const OOM_FILE = "/proc/self/oom_score_adj";
const LOWEST_OOM_SCORE = -1000;
const PRIORITY = -10;

export interface Privileges {
  /** What could not be had, in words for the status. */
  readonly lacking: readonly string[];
  /** Runs `spawn` without the privileges: a child takes over what its parent has at the fork. */
  without<T>(spawn: () => T): T;
}

export function takePrivileges(): Privileges {
  const usual = { oom: 0, priority: getPriority() };
  const hasOom = tryTo(() => setOomScore(LOWEST_OOM_SCORE));
  const hasPriority = tryTo(() => setPriority(PRIORITY));
  const set = (oom: number, priority: number): void => {
    if (hasOom) tryTo(() => setOomScore(oom));
    if (hasPriority) tryTo(() => setPriority(priority));
  };
  return {
    lacking: [
      ...(hasOom ? [] : ["lowest OOM score"]),
      ...(hasPriority ? [] : ["raised scheduling priority"]),
    ],
    without: (spawn) => {
      set(usual.oom, usual.priority);
      try {
        return spawn();
      } finally {
        set(LOWEST_OOM_SCORE, PRIORITY);
      }
    },
  };
}

const setOomScore = (score: number): void => writeFileSync(OOM_FILE, String(score));

function tryTo(act: () => void): boolean {
  try {
    act();
    return true;
  } catch {
    return false;
  }
}
