// Where can a story be played? In the simulation and in the lab, by the same words.
import type { Scenario, StoryReport } from "./scenario.ts";
import type { VerbName } from "./verbs.ts";

export interface Stage {
  readonly name: string;
  /** Verbs that this stage cannot play; a story with one of them is not for it. */
  readonly cannot: readonly VerbName[];
  play(scenario: Scenario): Promise<StoryReport>;
}

/** Can the whole story be played here? */
export const canPlay = (stage: Pick<Stage, "cannot">, scenario: Scenario): boolean =>
  scenario.faults.every((fault) => !stage.cannot.includes(fault.verb.do));
