// One watch through one member: what does it show, and why did it end?
import type { ClientRequest } from "node:http";
import { AppError } from "../../model/error.ts";
import { after, type Ms } from "../../model/time.ts";
import type { Range } from "../../ports/store.ts";
import { type Answer, answerIn } from "./answer.ts";
import { eventIn, listIn, numberIn, rangeOf } from "./encode.ts";
import { createLines } from "./lines.ts";
import { SILENCE_MS, type WatchOptions } from "./watch-options.ts";
import type { WatchView } from "./watch-view.ts";

/**
 * `closed`: by the member or the network; `silent`: nobody could say whether anything was missed; `missed`:
 * something was; `compacted`: the store no longer has what we missed; `quiet`: time to try another member.
 */
export type WatchEnd = "closed" | "silent" | "missed" | "compacted" | "quiet" | "aborted";

const LOOK_MS: Ms = 1000;
/** How long the watch may lag behind a look through another member. */
const GRACE_MS: Ms = 250;
/** After so many silences without news the watch is renewed elsewhere, for this one may be dead. */
const SILENCES = 3;

/** Shows events until the watch ends for whatever reason. Never throws. */
export async function followStream(
  options: WatchOptions,
  view: WatchView,
  member: number,
): Promise<WatchEnd> {
  let headers: Readonly<Record<string, string>>;
  try {
    headers = await options.gateway.identity(SILENCE_MS);
  } catch (error) {
    if (error instanceof AppError) return "silent";
    throw error;
  }
  if (options.signal.aborted) return "aborted";
  const create = {
    ...rangeOf(options.prefix),
    start_revision: String(view.revision() + 1),
    progress_notify: true,
  };
  const req = options.gateway.member(member).open({
    path: "/v3/watch",
    body: JSON.stringify({ create_request: create }),
    // Without it, a member that has lost its leader would stay silent instead of ending the watch.
    headers: { ...headers, "grpc-metadata-hasleader": "true" },
  });
  const covered = (): Promise<WatchEnd> => isCovered(options, view, member);
  const end = await listen(req, options, { view, covered });
  // Whatever ended it may have been the token: a new one costs little, a refused watch costs news.
  if (end === "closed") options.gateway.forget(headers);
  return end;
}

interface Following {
  readonly view: WatchView;
  /** `quiet` when nothing was missed so far. */
  readonly covered: () => Promise<WatchEnd>;
}

function listen(
  req: ClientRequest,
  options: WatchOptions,
  { view, covered }: Following,
): Promise<WatchEnd> {
  const { clock, signal } = options;
  return new Promise((resolve) => {
    let ended = false;
    let created = false;
    let silences = 0;
    const finish = (end: WatchEnd): void => {
      if (ended) return;
      ended = true;
      silence.cancel();
      signal.removeEventListener("abort", aborted);
      req.destroy();
      resolve(end);
    };
    const aborted = (): void => finish("aborted");
    const listenOn = () => clock.wakeAt(after(clock.now(), SILENCE_MS), () => void onSilence());
    const onSilence = async (): Promise<void> => {
      if (!created) return finish("silent");
      silences += 1;
      const end = await covered();
      if (ended) return;
      if (end !== "quiet" || silences >= SILENCES) finish(end);
      else silence = listenOn();
    };
    let silence = listenOn();
    const onLine = (line: string): void => {
      if (ended) return;
      silence.cancel();
      silence = listenOn();
      silences = 0;
      const end = takeFrame(answerIn(200, line), options, view);
      if (end !== undefined) finish(end);
      created = true;
    };
    signal.addEventListener("abort", aborted);
    req.on("error", () => finish("closed"));
    req.on("response", (response) => {
      response.on("data", createLines(onLine));
      response.on("error", () => finish("closed"));
      response.on("close", () => finish("closed"));
    });
    if (signal.aborted) aborted();
  });
}

/** Takes one frame; answers why the watch is over, or undefined when it goes on. */
function takeFrame(frame: Answer, options: WatchOptions, view: WatchView): WatchEnd | undefined {
  if (frame.kind !== "ok") return "closed";
  const { body, header } = frame;
  if (numberIn(body["compact_revision"]) > 0) return "compacted";
  if (body["canceled"] === true) return "closed";
  if (body["created"] === true) return undefined;
  const events = listIn(body["events"]).map(eventIn);
  // A frame without events is the store's word that it has shown everything so far.
  if (events.length === 0 && header !== undefined) view.advance(header.revision);
  const fresh = view.take(events);
  if (fresh.length > 0) options.onEvents(fresh);
  return undefined;
}

/** `quiet` when a look through another member shows that nothing was missed. */
async function isCovered(
  options: WatchOptions,
  view: WatchView,
  member: number,
): Promise<"quiet" | "missed" | "silent"> {
  let look: Range;
  try {
    look = await options.list(LOOK_MS, member + 1);
    if (view.covers(look)) return "quiet";
    await options.clock.sleep(GRACE_MS, options.signal);
  } catch {
    return "silent";
  }
  return view.covers(look) ? "quiet" : "missed";
}
