// Which of a schedule's faults does the violation need? Fewer faults, the same broken rule.
import type { Fault } from "../scenario/verbs.ts";
import { type Story, StoryRun } from "./story.ts";

/** The rule at the front of a violation, e.g. "S1". */
const ruleOf = (violation: string): string => violation.split(" ")[0] ?? violation;

/** Plays a schedule and answers the rules that it breaks. */
async function broken(story: Story): Promise<ReadonlySet<string>> {
  const { violations } = await new StoryRun(story).play();
  return new Set(violations.map(ruleOf));
}

/**
 * Leaves out faults, first halves, then single ones, as long as the same rule breaks. Bounded by `most` runs: a
 * smaller schedule is for people, the seed is the proof.
 */
export async function shrink(story: Story, violation: string, most = 120): Promise<Story> {
  const rule = ruleOf(violation);
  let best = story;
  let runs = 0;
  const stillBreaks = async (faults: readonly Fault[]): Promise<boolean> => {
    runs += 1;
    return (await broken({ ...best, faults })).has(rule);
  };
  for (
    let size = Math.ceil(best.faults.length / 2);
    size >= 1;
    size = size === 1 ? 0 : Math.ceil(size / 2)
  ) {
    for (let from = 0; from < best.faults.length && runs < most; ) {
      const faults = best.faults.filter((_, i) => i < from || i >= from + size);
      if (faults.length < best.faults.length && (await stillBreaks(faults)))
        best = { ...best, faults };
      else from += size;
    }
    if (runs >= most) break;
  }
  return best;
}
