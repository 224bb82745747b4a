// How is news of changes kept flowing while members of the store come, go, freeze and forget?
//
// A watch that is merely open proves nothing: a frozen member, or one cut off from its leader, is silent. After
// two silent seconds the keys are looked at through another member; a change that the watch has not shown means
// a gap, and the watch starts again elsewhere from where it was (R40).
import { AppError } from "../../model/error.ts";
import { after, between, type Ms } from "../../model/time.ts";
import type { WatchOptions } from "./watch-options.ts";
import { followStream } from "./watch-stream.ts";
import { createWatchView, type WatchView } from "./watch-view.ts";

const LOOK_MS: Ms = 1000;
/** A watch that lived shorter than this is not replaced at once, lest a broken store be hammered. */
const SHORT_LIFE_MS: Ms = 1000;
const PAUSES_MS: readonly Ms[] = [0, 100, 200, 400, 1000];

/** Runs until the signal aborts; never throws. */
export function startWatch(options: WatchOptions): void {
  keepWatching(options).catch((error: unknown) => {
    if (!options.signal.aborted) throw error;
  });
}

async function keepWatching(options: WatchOptions): Promise<void> {
  const { clock, signal } = options;
  let view: WatchView | undefined;
  let member = 0;
  let failures = 0;
  while (!signal.aborted) {
    const beganAt = clock.now();
    view ??= await firstLook(options, member);
    const end = view === undefined ? "unread" : await followStream(options, view, member);
    if (signal.aborted) return;
    if (end === "compacted") view = undefined;
    if (end === "missed" || end === "silent" || end === "unread") options.onGap();
    member += 1;
    const lived = between(beganAt, clock.now());
    failures = lived >= SHORT_LIFE_MS ? 0 : Math.min(failures + 1, PAUSES_MS.length - 1);
    options.log.debug("the watch starts again", { end, livedMs: lived });
    const pauseMs = PAUSES_MS[failures] ?? 0;
    if (pauseMs > 0) await clock.sleep(pauseMs, signal);
  }
}

/**
 * The revision from which on everything will be shown. What changed before it was not: the caller is told to
 * read everything, after the look and not before it, or a change in between would be lost.
 */
async function firstLook(options: WatchOptions, member: number): Promise<WatchView | undefined> {
  const startedAt = options.clock.now();
  try {
    const view = createWatchView(await options.list(LOOK_MS, member));
    options.onGap();
    return view;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    // A refusal comes at once, a silence after its time: neither may be asked again without a pause.
    const rest = after(startedAt, SHORT_LIFE_MS);
    const waitMs = between(options.clock.now(), rest);
    if (waitMs > 0) await options.clock.sleep(waitMs, options.signal);
    return undefined;
  }
}
