// How does a person change the dynamic configuration? Checked first, compared at the write, never half.
import { parseConfig, patchConfig, printProblem } from "../../model/wire/config.ts";
import { withoutOldNote } from "../../model/wire/config-pause.ts";
import { isObject, type JsonObject, printJson } from "../../model/wire/json.ts";
import { type ApiContext, failure, json, type Route, type RouteAnswer, text } from "./route.ts";
import { READ_TIMEOUT_MS } from "./routes-read.ts";

async function patch(context: ApiContext, change: JsonObject): Promise<RouteAnswer> {
  try {
    const { config } = await context.node.readCluster(READ_TIMEOUT_MS);
    const stored = config.value?.raw;
    if (stored === undefined) return text(503, "there is no configuration to change yet");
    const wanted = patchConfig(stored, withoutOldNote(change));
    if (isSame(stored, wanted)) return json(stored);
    return await write(context, wanted, config.modRevision);
  } catch (error) {
    return failure(error, "changing the configuration");
  }
}

async function replace(context: ApiContext, wanted: JsonObject): Promise<RouteAnswer> {
  try {
    const { config } = await context.node.readCluster(READ_TIMEOUT_MS);
    return await write(context, wanted, config.modRevision);
  } catch (error) {
    return failure(error, "replacing the configuration");
  }
}

/** Refuses what the cluster could not follow, so that nothing changes. */
async function write(
  { node, log }: ApiContext,
  wanted: JsonObject,
  revision: number,
): Promise<RouteAnswer> {
  const checked = parseConfig(wanted, { mode: "strict" });
  if (checked.kind === "refused") {
    return text(400, checked.problems.map(printProblem).join("\n"));
  }
  const outcome = await node.writeConfig(printJson(wanted), revision);
  if (outcome === "refused") {
    return text(409, "somebody else changed the configuration meanwhile: read it and try again");
  }
  log.info("the configuration was changed over REST", { warnings: checked.warnings });
  return json(wanted);
}

/** Scalars are compared as text, so that 101 and "101" are no change. */
function isSame(a: unknown, b: unknown): boolean {
  return printJson(asTexts(a)) === printJson(asTexts(b));
}

function asTexts(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(asTexts);
  if (!isObject(value)) return typeof value === "string" ? value : printJson(value);
  const fields = Object.entries(value).map(([name, field]) => [name, asTexts(field)] as const);
  return Object.fromEntries(fields.toSorted(([x], [y]) => (x < y ? -1 : 1)));
}

export const CONFIG_ROUTES: readonly Route[] = [
  {
    method: "PATCH",
    path: "/config",
    about: "changes the dynamic configuration: objects merge, null deletes",
    body: "required",
    answer: (context, { body }) => patch(context, body ?? {}),
  },
  {
    method: "PUT",
    path: "/config",
    about: "replaces the dynamic configuration",
    body: "required",
    answer: (context, { body }) => replace(context, body ?? {}),
  },
];
