// How does a command talk to the members' REST APIs?
import { callHttp, type HttpAnswer, type HttpCall } from "../adapters/http/client.ts";
import { AppError } from "../model/error.ts";
import { didYouMean } from "../model/nearest.ts";
import { isObject } from "../model/wire/json.ts";
import type { StatusJson, StatusMember } from "../model/wire/status.ts";
import { CliFailure, EXIT, type ExitCode } from "./exit.ts";
import { memberUrls } from "./members-in-store.ts";
import type { Target } from "./target.ts";

const LOOK_MS = 2_000;

interface Call {
  readonly method: HttpCall["method"];
  readonly url: string;
  readonly body?: unknown;
  readonly timeoutMs?: number;
}

/** What of the target a request needs. */
export type Reached = Pick<Target, "tls" | "credentials">;

/** One request with the cluster's certificates; the password goes along only where something changes. */
export function call(target: Reached, { method, url, body, timeoutMs }: Call): Promise<HttpAnswer> {
  const credentials = method === "GET" ? undefined : target.credentials;
  return callHttp({
    method,
    url,
    timeoutMs: timeoutMs ?? LOOK_MS,
    tls: target.tls,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(credentials === undefined ? {} : { credentials }),
  });
}

/** Makes the change and answers the words of the member; a refusal becomes a failure with its number. */
export async function change(target: Target, request: Call): Promise<HttpAnswer> {
  const answer = await call(target, request);
  if (answer.status < 300) return answer;
  const [first = "", ...more] = answer.body.split("\n");
  const what = `the request was refused (${answer.status})`;
  throw new CliFailure(exitOf(answer), what, first, ...more);
}

const EXIT_OF_STATUS: Readonly<Record<number, ExitCode>> = {
  400: EXIT.usage,
  401: EXIT.refused,
  403: EXIT.refused,
  404: EXIT.noSuchThing,
  422: EXIT.usage,
};

function exitOf({ status, body }: HttpAnswer): ExitCode {
  if (body.includes("status unknown")) return EXIT.timedOut;
  return EXIT_OF_STATUS[status] ?? EXIT.precondition;
}

/** The status from whichever member answers first; of the others the store tells where they are. */
export async function look(target: Target): Promise<StatusJson> {
  try {
    return await Promise.any(target.urls.map((url) => statusOf(target, url)));
  } catch (error) {
    const more = (await memberUrls(target.settings)).filter((url) => !target.urls.includes(url));
    const answers = more.map((url) => statusOf(target, url));
    if (answers.length > 0) {
      const found = await Promise.any(answers).catch(() => undefined);
      if (found !== undefined) return found;
    }
    throw nobody(target, [...target.urls, ...more], error);
  }
}

function nobody(target: Target, urls: readonly string[], error: unknown): CliFailure {
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error;
  const why = first instanceof AppError ? first.why : String(first);
  return new CliFailure(
    EXIT.unreachable,
    `no member of ${target.scope} answers`,
    `asked ${urls.join(", ")}: ${why}`,
    "check that the agents run and that their REST addresses can be reached from here",
  );
}

export async function statusOf(target: Target, apiUrl: string): Promise<StatusJson> {
  const url = `${apiUrl}/understudy/status`;
  const answer = await call(target, { method: "GET", url });
  const value = answer.status === 200 ? plainJson(answer.body) : undefined;
  if (!isObject(value) || value["kind"] !== "Status") {
    throw new AppError("PEER_UNREACHABLE", `GET ${url}`, `the answer ${answer.status} is not ours`);
  }
  return value as unknown as StatusJson;
}

/** The parsed text; undefined when it is no JSON. */
export function plainJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A document of ours that lists something. */
interface Listing {
  readonly whole: Readonly<Record<string, unknown>>;
  readonly items: readonly unknown[];
}

/** Undefined when the answer is no list, which is never taken for an empty one. */
export function listIn({ status, body }: HttpAnswer): Listing | undefined {
  const whole = status === 200 ? plainJson(body) : undefined;
  const items = isObject(whole) ? whole["items"] : undefined;
  return isObject(whole) && Array.isArray(items) ? { whole, items } : undefined;
}

/** The member of that name; else a failure that offers the nearest one. */
export function memberNamed(
  status: Pick<StatusJson, "scope" | "members">,
  name: string,
): StatusMember {
  const found = status.members.find((member) => member.name === name);
  if (found !== undefined) return found;
  const names = status.members.map((member) => member.name);
  throw new CliFailure(
    EXIT.noSuchThing,
    `${status.scope} has no member ${name}${didYouMean(name, names)}`,
    `its members are ${names.join(", ") || "none yet"}`,
    "nothing was done",
  );
}

/** The member that leads; a failure when nobody does. */
export function leaderOf(status: StatusJson): StatusMember {
  const leader = status.members.find(({ leads }) => leads);
  if (leader !== undefined) return leader;
  throw new CliFailure(
    EXIT.precondition,
    "nobody leads the cluster now",
    status.sentence,
    "wait for a leader, or use understudy failover --to MEMBER",
  );
}
