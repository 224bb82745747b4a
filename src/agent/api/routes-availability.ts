// What does this node measure of the availability of writes?
import type { AvailabilityWatch } from "../availability/watch.ts";
import { document, type Route, type RouteAnswer, text } from "./route.ts";

interface AvailabilityContext {
  readonly availability?: AvailabilityWatch | undefined;
  readonly clock: { wallMs(): number };
  readonly settings: { readonly name: string };
}

export function answerAvailability(context: AvailabilityContext): RouteAnswer {
  const { availability } = context;
  if (availability === undefined)
    return text(404, "this node measures nothing: its file has no availability section");
  const { everyMs, objective } = availability.settings;
  return document("Availability", context, {
    everyMs,
    objective,
    items: availability.measured().map(({ path, takesWrites, why, book }) => ({
      path,
      takesWrites,
      ...(why === undefined ? {} : { why }),
      outages: book.outages,
      measured: book.measured,
    })),
  });
}

export const AVAILABILITY_ROUTES: readonly Route[] = [
  {
    method: "GET",
    path: "/understudy/availability",
    about:
      "the outages that this node's probe writes have met over each way in, and when it measured",
    answer: (context) => answerAvailability(context),
  },
];
