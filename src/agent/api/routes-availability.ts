// What does this node measure of the availability of writes?
import { printRfc3339 } from "../../model/wire/rfc3339.ts";
import type { AvailabilityWatch } from "../availability/watch.ts";
import { json, type Route, type RouteAnswer, text } from "./route.ts";

interface AvailabilityContext {
  readonly availability?: AvailabilityWatch | undefined;
  readonly clock: { wallMs(): number };
  readonly settings: { readonly name: string };
}

export function answerAvailability({
  availability,
  clock,
  settings,
}: AvailabilityContext): RouteAnswer {
  if (availability === undefined)
    return text(404, "this node measures nothing: its file has no availability section");
  const { everyMs, objective } = availability.settings;
  return json({
    apiVersion: "understudy/v1",
    kind: "Availability",
    asOf: printRfc3339(clock.wallMs()),
    member: settings.name,
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
