// What can be asked of a member about backups? To which moments one can restore, where a hole is, and what runs by itself.

import {
  type ApiContext,
  document,
  failure,
  json,
  type Route,
  type RouteAnswer,
  text,
} from "./route.ts";

function coverage(context: ApiContext): RouteAnswer {
  const { vault } = context.node.view();
  if (vault === undefined)
    return text(
      404,
      [
        "no backups are configured on this member",
        "its file has no backup section",
        "name a repository there and restart the agent",
      ].join("\n"),
    );
  return document("Coverage", context, vault);
}

export const VAULT_ROUTES: readonly Route[] = [
  {
    method: "GET",
    path: "/understudy/backup/coverage",
    about: "what can be restored from each repository, and every hole in its WAL with the cause",
    answer: (context) => coverage(context),
  },
  {
    method: "GET",
    path: "/understudy/backup/schedule",
    about: "which job of the backups runs when, who runs one now, and how each ended last",
    async answer({ schedule }) {
      if (schedule === undefined) return text(404, "this agent runs nothing by schedule");
      try {
        return json(await schedule.view());
      } catch (error) {
        return failure(error, "reading the schedule");
      }
    },
  },
];
