// The ladder: ten questions, the first answer wins.
import type { Decision } from "../controller.ts";
import { digest } from "./plans/memory.ts";
import { rosterSent } from "./plans/roster.ts";
import { isPublished, selfPortrait } from "./plans/self-portrait.ts";
import { clusterOf, isPrimary } from "./plans/standing.ts";
import { mayStandStill } from "./plans/unguarded.ts";
import { bootstrap } from "./rungs/bootstrap.ts";
import { follow } from "./rungs/follow.ts";
import { halt } from "./rungs/halt.ts";
import { identity } from "./rungs/identity.ts";
import { ignorance } from "./rungs/ignorance.ts";
import { job } from "./rungs/job.ts";
import { lead } from "./rungs/lead.ts";
import { pause } from "./rungs/pause.ts";
import { race } from "./rungs/race.ts";
import { recover } from "./rungs/recover.ts";
import type { Rung, Verdict } from "./rungs/rung.ts";
import type { HaStep, HaUpkeep } from "./steps.ts";
import type { HaMemory, HaWorld, RosterMemory } from "./world.ts";

const LADDER: readonly Rung[] = [
  halt, // is the agent leaving?
  job, // is a long step running?
  ignorance, // can the store be read?
  identity, // is this our data, our cluster, our lease?
  pause, // does an operator hold the wheel?
  bootstrap, // is there no data yet?
  recover, // is there data but no healthy server?
  lead, // do I hold the lease?
  follow, // does somebody else?
];

/** What to do in this world: pure, synchronous, total. */
export function decide(world: HaWorld): Decision<HaStep, HaMemory> {
  const w: HaWorld = { ...world, memory: digest(world) };
  const verdict = firstAnswer(w);
  const { because, detail, step, wakeAt } = verdict;
  const upkeep = [...always(w, verdict), ...(verdict.upkeep ?? [])];
  return {
    because,
    ...(detail === undefined || detail === "" ? {} : { detail }),
    upkeep,
    ...(step === undefined ? {} : { step }),
    ...(verdict.cancelJob === true ? { cancelJob: true } : {}),
    vouch: verdict.vouch ?? false,
    ...(wakeAt === undefined ? {} : { wakeAt }),
    memory: remembered(w, verdict, rosterSent(w.memory.roster, upkeep)),
  };
}

/** What was learnt in the race counts until the winner is a primary: it is judged again at every look (R12). */
function remembered(w: HaWorld, { remember }: Verdict, roster: RosterMemory): HaMemory {
  const { memory } = w;
  const isWinner = w.lease.held !== undefined && !isPrimary(w);
  const racingSince = isWinner ? memory.racingSince : undefined;
  const inherited = isWinner ? memory.inherited : undefined;
  const isNew =
    remember !== undefined ||
    roster !== memory.roster ||
    racingSince !== memory.racingSince ||
    inherited !== memory.inherited;
  return isNew ? { ...memory, roster, racingSince, inherited, ...remember } : memory;
}

function firstAnswer(w: HaWorld): Verdict {
  for (const rung of LADDER) {
    const verdict = rung(w);
    if (verdict !== undefined) return verdict;
  }
  return race(w); // nobody leads
}

/**
 * Whatever we do, the fence must live and the others must see us. A tick with a step is followed by another at once:
 * publishing waits for the last of them, so that no write to the store stands in the way of a failover.
 */
function always(w: HaWorld, verdict: Verdict): readonly HaUpkeep[] {
  const upkeep: HaUpkeep[] = [];
  if (!w.fence.alive && !mayStandStill(w)) upkeep.push({ kind: "ensure-fence" });
  if (clusterOf(w) !== undefined && verdict.step === undefined) {
    const member = selfPortrait(w, verdict.because);
    if (!isPublished(w, member)) upkeep.push({ kind: "publish", member });
  }
  return upkeep;
}
