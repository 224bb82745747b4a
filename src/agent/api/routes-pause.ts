// How does a person say that a primary which a pause let run without its fence is down? (R30)
import type { Unguarded } from "../../model/unguarded.ts";
import { isObject } from "../../model/wire/json.ts";
import { type ApiContext, failure, type Route, type RouteAnswer, text } from "./route.ts";
import { READ_TIMEOUT_MS } from "./routes-read.ts";

/** A host that is gone answers nothing: silence for so long counts as a refusal. */
const PROBE_MS = 2_000;

/** Two have to agree: the name was typed, and neither agent nor server of that member answers here. */
async function confirmDown(context: ApiContext, body: unknown): Promise<RouteAnswer> {
  const name = isObject(body) ? body["member"] : undefined;
  if (typeof name !== "string" || name === "") return text(400, "member: which one is down?");
  try {
    const { unguarded } = await context.node.readCluster(READ_TIMEOUT_MS);
    const record = unguarded.value;
    if (record === undefined) return text(404, "no member runs without its fence: nothing to say");
    if (record.member !== name)
      return text(404, `it is ${record.member} that runs without its fence`);
    const sign = await signOfLife(context, record);
    if (sign !== undefined) return text(409, sign);
    const outcome = await context.node.clearUnguarded(unguarded.modRevision);
    if (outcome === "refused") return text(409, "it has changed meanwhile: look again");
    context.log.warn("a person says that a primary without a fence is down", { member: name });
    return text(200, `${name} counts as down: another member may lead now`);
  } catch (error) {
    return failure(error, "saying that a member is down");
  }
}

async function signOfLife(
  { node }: ApiContext,
  { member, host, port, apiUrl }: Unguarded,
): Promise<string | undefined> {
  const [agent, server] = await Promise.all([
    node.askMember(apiUrl, PROBE_MS),
    node.serverAnswers({ host, port }, PROBE_MS),
  ]);
  if (agent.kind === "known")
    return `the agent of ${member} answers\nit ends the pause itself as soon as it reads the store`;
  if (!server) return undefined;
  return `the server of ${member} answers at ${host}:${port}\nstart its agent, or stop that server first`;
}

export const PAUSE_ROUTES: readonly Route[] = [
  {
    method: "POST",
    path: "/understudy/confirm-down",
    about:
      "says that `member`, which a pause let run without its fence, is down; refused while its agent or server answers",
    body: "required",
    answer: (context, { body }) => confirmDown(context, body),
  },
];
