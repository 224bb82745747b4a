// What can be asked of this member about lag? How it stands, and how it stood.
import { printRfc3339 } from "../../model/wire/rfc3339.ts";
import { type ApiContext, document, type Route, type RouteAnswer, text } from "./route.ts";

/** Nobody needs more in one answer; the files hold not much more. */
const LONGEST_MS = 7 * 24 * 3_600_000;

async function lag(context: ApiContext, query: URLSearchParams): Promise<RouteAnswer> {
  const { node, clock } = context;
  const asked = query.get("history_ms");
  const span = asked === null ? 0 : Number(asked);
  if (!Number.isInteger(span) || span < 0 || span > LONGEST_MS)
    return text(400, `history_ms must be a whole number from 0 to ${LONGEST_MS}`);
  node.watchLag();
  const { lag: report } = node.view();
  if (report === undefined)
    return text(503, "nothing is known of replication here: the server does not answer");
  const history = span === 0 ? undefined : await node.lagHistory(clock.wallMs() - span);
  return document("Lag", context, {
    ...report,
    ...(history === undefined
      ? {}
      : { history: history.map(({ at, ...rest }) => ({ at: printRfc3339(at), ...rest })) }),
  });
}

export const LAG_ROUTES: readonly Route[] = [
  {
    method: "GET",
    path: "/understudy/lag",
    about:
      "sent, write, flush and replay of every standby that this member feeds, and of itself as one; `history_ms=` adds how they stood",
    answer: (context, { query }) => lag(context, query),
  },
];
