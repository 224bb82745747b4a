// On what is measured? A lab that is made when it is needed, whole before each run, and replaced when it cannot be mended.
import { takeDown } from "../down.ts";
import { heal } from "../heal.ts";
import { checkOptions, defaultDir, type LabOptions, USUAL_LAB } from "../layout.ts";
import { bringUpPatroni, layOutPatroni, USUAL_TIMINGS } from "../patroni.ts";
import { findLab, type LabRecord } from "../record.ts";
import { inSeconds } from "../report.ts";
import { bringUp } from "../up.ts";
import type { LabNeeds } from "./cases.ts";
import { FULL_LOAD_SETTINGS, FullLoad } from "./full-load.ts";

export interface Stand {
  /** Resolves with the lab as a run needs it: healthy, and at work when the load is full. */
  ready(): Promise<LabRecord>;
  /** Ends the lab; the next run gets a new one. */
  replace(): Promise<void>;
  close(): Promise<void>;
}

export const BENCH_LAB = "bench";

export const say = (text: string): void => console.error(text);

interface Standing {
  readonly lab: LabRecord;
  readonly load: FullLoad | undefined;
}

export function openStand(needs: LabNeeds, fullLoad: boolean): Stand {
  let standing: Standing | undefined;
  const close = async (): Promise<void> => {
    const ending = standing;
    standing = undefined;
    await ending?.load?.stop();
    // A lab that did not get as far as standing is taken down here too.
    const lab = ending?.lab ?? findLab({ name: BENCH_LAB });
    if (lab !== undefined) await takeDown(lab);
  };
  return {
    async ready() {
      standing ??= await start(needs, fullLoad);
      // A case with Patroni's agents begins by making each node what it needs.
      if (needs.agents === undefined) await heal(standing.lab);
      await standing.load?.untilBusy();
      return standing.lab;
    },
    replace: close,
    close,
  };
}

async function start(needs: LabNeeds, fullLoad: boolean): Promise<Standing> {
  const set = fullLoad ? { ...needs.set, ...FULL_LOAD_SETTINGS } : needs.set;
  const options: LabOptions = {
    ...USUAL_LAB,
    ...needs,
    name: BENCH_LAB,
    dir: defaultDir(BENCH_LAB),
    set,
  };
  checkOptions(options);
  if (needs.agents === "patroni") return { lab: await withPatroni(options), load: undefined };
  const lab = await bringUp(options, (step, tookMs) => say(`${step} (${inSeconds(tookMs)})`));
  if (!fullLoad) return { lab, load: undefined };
  const load = new FullLoad(lab);
  try {
    await load.prepare();
    await load.start();
    return { lab, load };
  } catch (error) {
    await load.stop();
    throw error;
  }
}

async function withPatroni(options: LabOptions): Promise<LabRecord> {
  const lab = await layOutPatroni(options, USUAL_TIMINGS);
  await bringUpPatroni(lab);
  say("Patroni's agents run a primary and its standbys");
  return lab;
}
