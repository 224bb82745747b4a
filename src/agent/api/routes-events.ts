// What has happened on this node? Its events, as one answer or as a stream that goes on.
import { eventText, type NodeEvent } from "../../model/event.ts";
import type { AgentSettings } from "../../model/settings.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Chronicle } from "../chronicle/chronicle.ts";
import type { ApiContext } from "./route.ts";
import { document, type Route, type RouteAnswer, text } from "./route.ts";

const MOST_EVENTS = 10_000;
const USUAL_EVENTS = 1_000;
/** A stream says something this often, so that a reader and what lies between know that it lives. */
const BEAT_MS = 10_000;
/** A reader who is this many events behind is left. */
const MOST_BEHIND = 1_000;

export interface EventsContext {
  readonly chronicle: Chronicle;
  readonly clock: Pick<Clock, "wallMs">;
  readonly settings: Pick<AgentSettings, "name">;
}

async function events(context: ApiContext, query: URLSearchParams): Promise<RouteAnswer> {
  const { chronicle, clock, settings } = context;
  if (chronicle === undefined) return text(404, "this node keeps no events");
  if (query.has("follow")) return following(chronicle, numberIn(query, "after", 0));
  return answerEvents({ chronicle, clock, settings }, query);
}

/** One answer: what is behind number `after`. */
export async function answerEvents(
  context: EventsContext,
  query: URLSearchParams,
): Promise<RouteAnswer> {
  const part = await context.chronicle.since(
    numberIn(query, "after", 0),
    numberIn(query, "limit", USUAL_EVENTS),
  );
  return document("Events", context, { items: part.events.map(told), next: part.next });
}

const told = (event: NodeEvent) => ({ ...event, text: eventText(event) });

/** Server-sent events: what is there already, then each one as it comes. */
function following(chronicle: Chronicle, after: number): RouteAnswer {
  const encoder = new TextEncoder();
  let end: () => void = () => undefined;
  const stream = new ReadableStream<Uint8Array>(
    {
      async start(controller) {
        const say = (words: string): void => {
          if ((controller.desiredSize ?? 0) < -MOST_BEHIND) {
            end();
            controller.close();
          } else controller.enqueue(encoder.encode(words));
        };
        const tell = (event: NodeEvent): void =>
          say(`id: ${event.seq}\nevent: ${event.kind}\ndata: ${JSON.stringify(told(event))}\n\n`);
        // What comes while the old ones are read waits behind them.
        const early: NodeEvent[] = [];
        let begun = false;
        const stop = chronicle.onEvent((event) => {
          if (begun) tell(event);
          else early.push(event);
        });
        const beat = setInterval(() => say(": still here\n\n"), BEAT_MS);
        end = () => {
          stop();
          clearInterval(beat);
        };
        const { events: before, next } = await chronicle.since(after, MOST_BEHIND);
        for (const event of before) tell(event);
        for (const event of early) if (event.seq > next) tell(event);
        begun = true;
      },
      cancel: () => end(),
    },
    { highWaterMark: 1 },
  );
  return { status: 200, stream, contentType: "text/event-stream" };
}

function numberIn(query: URLSearchParams, name: string, fallback: number): number {
  const words = query.get(name) ?? "";
  const value = /^\d{1,15}$/.test(words) ? Number(words) : fallback;
  return name === "limit" ? Math.min(value, MOST_EVENTS) : value;
}

export const EVENT_ROUTES: readonly Route[] = [
  {
    method: "GET",
    path: "/understudy/events",
    about:
      "what happened on this node, behind number `after=`, at most `limit=`; with `follow` as server-sent events without end",
    answer: (context, { query }) => events(context, query),
  },
];
