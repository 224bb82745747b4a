// How is one call brought to an answer within its time, over several members and with a token that may have ended?
//
// A call that only reads, or may safely be done twice, gives each member a share of its time. A transaction goes
// on to another member only as long as it has surely not been sent.
import { AppError } from "../../model/error.ts";
import type { Credentials } from "../../model/settings.ts";
import { after, between, type Instant, type Ms } from "../../model/time.ts";
import type { JsonObject } from "../../model/wire/json.ts";
import type { Clock } from "../../ports/clock.ts";
import { type Answer, answerIn, CODE } from "./answer.ts";
import { type Attempt, createEndpoint, type Endpoint, type TlsTexts } from "./endpoint.ts";
import { createIdentity, type Headers } from "./identity.ts";
import { createTermMemory } from "./raft-term.ts";

export interface Call {
  /** What is being done, for the error's first line. */
  readonly attempt: string;
  readonly path: string;
  readonly body: JsonObject;
  /** May it be done twice? A transaction may not. */
  readonly repeatable: boolean;
  /** It changes something in the store, so a lost answer leaves its outcome open. */
  readonly writes: boolean;
  readonly timeoutMs: Ms;
  readonly signal?: AbortSignal | undefined;
  /** Index of the member to ask first; without it, the one that answered last. */
  readonly from?: number | undefined;
}

export type Verdict = Exclude<Answer, { kind: "failing" }>;

export interface Gateway {
  /** Answers a result or a certain "no"; everything else is an AppError STORE_…. */
  call(call: Call): Promise<Verdict>;
  /** Members stand in a ring: any index names one. */
  member(index: number): Endpoint;
  /** Headers that say who we are; empty without credentials. */
  identity(timeoutMs: Ms): Promise<Headers>;
  /** These headers were not accepted: other ones next time. */
  forget(used: Headers): void;
  close(): void;
}

export interface GatewayOptions {
  readonly endpoints: readonly string[];
  readonly credentials?: Credentials | undefined;
  readonly tls?: TlsTexts | undefined;
  readonly clock: Clock;
}

/** The share of one member in logging in: hashing a password takes a member about a tenth of that. */
const LOGIN_MS: Ms = 1000;
/** An idle connection that broke is tried again once at the same member. */
const SECOND_TRIES = 1;

export function createGateway(options: GatewayOptions): Gateway {
  const { clock, credentials } = options;
  const endpoints = options.endpoints.map((url) => createEndpoint(url, options.tls, clock));
  const terms = createTermMemory(clock);
  let first = 0;

  const at = (index: number): Endpoint => {
    const endpoint = endpoints[index % endpoints.length];
    if (endpoint === undefined) {
      throw new AppError("CONFIG_INVALID", "reach the store", "no endpoint is configured");
    }
    return endpoint;
  };
  const moveOn = (from: Endpoint): void => {
    if (at(first) === from) first = (first + 1) % endpoints.length;
  };

  /** Judges an attempt; an answer out of the past counts as none. */
  const judge = (attempt: Attempt): Answer => {
    if (attempt.kind === "failed") return { kind: "failing", why: attempt.why };
    const answer = answerIn(attempt.status, attempt.text);
    if (answer.kind !== "ok" || answer.header === undefined) return answer;
    return terms.accepts(answer.header)
      ? answer
      : { kind: "failing", why: "it answers with an older raft term" };
  };

  /** One round over the members. */
  async function round(call: Call, headers: Headers, deadline: Instant): Promise<Verdict> {
    const faults: string[] = [];
    let maybeDone = false;
    let secondTries = SECOND_TRIES;
    let index = call.from ?? first;
    for (let left = endpoints.length; left > 0; left -= 1) {
      const endpoint = at(index);
      const now = clock.now();
      const share = after(now, between(now, deadline) / left);
      const attempt = await endpoint.post(
        { path: call.path, body: JSON.stringify(call.body), headers },
        {
          connectBy: share,
          answerBy: call.repeatable ? share : deadline,
          signal: call.signal,
        },
      );
      const answer = judge(attempt);
      if (answer.kind !== "failing") return answer;
      faults.push(`${endpoint.url}: ${answer.why}`);
      maybeDone ||= call.writes && (attempt.kind === "answer" || attempt.sent);
      if (maybeDone && !call.repeatable) moveOn(endpoint);
      if ((maybeDone && !call.repeatable) || call.signal?.aborted === true) break;
      if (attempt.kind === "failed" && attempt.stale && secondTries > 0) {
        secondTries -= 1;
        left += 1;
        continue;
      }
      moveOn(endpoint);
      index += 1;
    }
    throw new AppError(
      maybeDone ? "STORE_UNKNOWN" : "STORE_UNREACHABLE",
      call.attempt,
      faults.join("; "),
    );
  }

  async function login(user: Credentials): Promise<Headers> {
    const timeoutMs = LOGIN_MS * endpoints.length;
    const call: Call = {
      attempt: "log in to the store",
      path: "/v3/auth/authenticate",
      body: { name: user.username, password: user.password?.reveal() ?? "" },
      repeatable: true,
      writes: false,
      timeoutMs,
    };
    const answer = await round(call, {}, after(clock.now(), timeoutMs));
    // A store that asks nobody who they are lets us in without a token.
    if (answer.kind === "no" && answer.code === CODE.failedPrecondition) return {};
    if (answer.kind === "no") throw new AppError("STORE_REFUSED", call.attempt, answer.message);
    return { authorization: String(answer.body["token"] ?? "") };
  }

  const known = createIdentity(clock, async () =>
    credentials === undefined ? {} : login(credentials),
  );

  async function call(c: Call): Promise<Verdict> {
    const deadline = after(clock.now(), c.timeoutMs);
    const headers = await known.headers(deadline);
    const answer = await round(c, headers, deadline);
    if (credentials === undefined || !isAboutIdentity(answer)) return sure(answer, c);
    // Refused for the token's sake, so surely not done: once more with a new one.
    known.forget(headers);
    return sure(await round(c, await known.headers(deadline), deadline), c);
  }

  return {
    call,
    member: at,
    identity: (timeoutMs) => known.headers(after(clock.now(), timeoutMs)),
    forget: known.forget,
    close() {
      for (const endpoint of endpoints) endpoint.close();
    },
  };
}

/** An ended token is "unauthenticated"; one older than the store's list of users is "invalid". */
const isAboutIdentity = (answer: Verdict): boolean =>
  answer.kind === "no" &&
  (answer.code === CODE.unauthenticated || answer.code === CODE.invalidArgument);

/** Leaves results and the "no" that a caller understands; the others are failures of their own. */
function sure(answer: Verdict, call: Call): Verdict {
  if (answer.kind === "ok") return answer;
  switch (answer.code) {
    case CODE.resourceExhausted:
      throw new AppError("STORE_NO_SPACE", call.attempt, answer.message);
    case CODE.invalidArgument:
    case CODE.permissionDenied:
    case CODE.unauthenticated:
    case CODE.unimplemented:
      throw new AppError("STORE_REFUSED", call.attempt, answer.message);
    default:
      return answer;
  }
}
