// How does a call get its token, and which answers are failures?
import { AppError } from "../../model/error.ts";
import type { Credentials } from "../../model/settings.ts";
import { after, type Ms } from "../../model/time.ts";
import { textIn } from "../../model/wire/json.ts";
import type { Clock } from "../../ports/clock.ts";
import { CODE } from "./answer.ts";
import type { Endpoint, TlsTexts } from "./endpoint.ts";
import { createIdentity, type Headers } from "./identity.ts";
import { type Call, Ring, type Verdict } from "./ring.ts";

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

export function createGateway(options: GatewayOptions): Gateway {
  const { clock, credentials } = options;
  const ring = new Ring(options.endpoints, options.tls, clock);
  const known = createIdentity(clock, async () =>
    credentials === undefined ? {} : login(ring, clock, credentials),
  );

  async function call(asked: Call): Promise<Verdict> {
    const deadline = after(clock.now(), asked.timeoutMs);
    const headers = await known.headers(deadline);
    const answer = await ring.round(asked, headers, deadline);
    if (credentials === undefined || !isAboutIdentity(answer)) return sure(answer, asked);
    // Refused for the token's sake, so surely not done: once more with a new one.
    known.forget(headers);
    return sure(await ring.round(asked, await known.headers(deadline), deadline), asked);
  }

  return {
    call,
    member: (index) => ring.member(index),
    identity: (timeoutMs) => known.headers(after(clock.now(), timeoutMs)),
    forget: (used) => known.forget(used),
    close: () => ring.close(),
  };
}

async function login(ring: Ring, clock: Clock, user: Credentials): Promise<Headers> {
  const timeoutMs = LOGIN_MS * ring.size;
  const call: Call = {
    attempt: "log in to the store",
    path: "/v3/auth/authenticate",
    body: { name: user.username, password: user.password?.reveal() ?? "" },
    repeatable: true,
    writes: false,
    timeoutMs,
  };
  const answer = await ring.round(call, {}, after(clock.now(), timeoutMs));
  // A store that asks nobody who they are lets us in without a token.
  if (answer.kind === "no" && answer.code === CODE.failedPrecondition) return {};
  if (answer.kind === "no") throw new AppError("STORE_REFUSED", call.attempt, answer.message);
  return { authorization: textIn(answer.body["token"]) ?? "" };
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
