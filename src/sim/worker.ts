// How do several cores play one swarm? Threads of this very program take shares of the seeds by turns, and what they
// found is summed up in the order of the seeds. A schedule knows nothing of it: its seed decides everything.
import { parentPort, Worker, workerData } from "node:worker_threads";
import { type Share, sharesOf, sumOf, type Tally } from "./hunt.ts";

export interface Crew {
  readonly from: number;
  readonly seeds: number;
  readonly workers: number;
  /** Go on after a violation. */
  readonly keepGoing: boolean;
}

/** What tells a thread of ours that it is one. */
const HELPER = "plays shares of a swarm";

/** What a thread says of a share: what was found, or what broke the simulator itself. */
type Answer = { readonly tally: Tally } | { readonly error: unknown };

/** Plays all shares. After a violation no further share is begun, unless asked to. */
export async function huntTogether(crew: Crew): Promise<Tally> {
  const shares = sharesOf(crew.from, crew.seeds);
  const found: Tally[] = [];
  let next = 0;
  let isOver = false;
  const work = async (): Promise<void> => {
    const worker = new Worker(new URL(import.meta.url), {
      argv: process.argv.slice(2),
      workerData: HELPER,
    });
    try {
      while (!isOver) {
        const mine = next++;
        const share = shares[mine];
        if (share === undefined) return;
        const tally = await played(worker, share);
        found[mine] = tally;
        if (tally.failures.length > 0 && !crew.keepGoing) isOver = true;
      }
    } catch (error) {
      isOver = true;
      throw error;
    } finally {
      await worker.terminate();
    }
  };
  await Promise.all(Array.from({ length: Math.min(crew.workers, shares.length) }, work));
  return sumOf(found.filter((tally) => tally !== undefined));
}

const played = (worker: Worker, share: Share): Promise<Tally> =>
  new Promise((resolve, reject) => {
    const ended = (code: number): void =>
      reject(new Error(`a thread of the simulator ended with code ${code}`));
    worker.once("exit", ended);
    worker.once("error", reject);
    worker.once("message", (answer: Answer) => {
      worker.off("exit", ended);
      worker.off("error", reject);
      if ("tally" in answer) resolve(answer.tally);
      else reject(answer.error);
    });
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- threads have no origin
    worker.postMessage(share);
  });

/** In such a thread: plays each share that it is given; answers false in the program itself. */
export function worksForOthers(play: (share: Share) => Promise<Tally>): boolean {
  const port = parentPort;
  if (port === null || workerData !== HELPER) return false;
  port.on("message", (share: Share) => {
    const say = (answer: Answer): void => port.postMessage(answer);
    void play(share).then(
      (tally) => say({ tally }),
      (error: unknown) => say({ error }),
    );
  });
  return true;
}
