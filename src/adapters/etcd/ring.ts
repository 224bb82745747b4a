// Which member of the store is asked, in which order, and how long does each have?
//
// A call that only reads, or may safely be done twice, gives each member a share of its time. A transaction goes
// on to another member only as long as it has surely not been sent.
import { AppError } from "../../model/error.ts";
import { after, between, type Instant, type Ms } from "../../model/time.ts";
import type { JsonObject } from "../../model/wire/json.ts";
import type { Clock } from "../../ports/clock.ts";
import { type Answer, answerIn } from "./answer.ts";
import { type Attempt, createEndpoint, type Endpoint, type TlsTexts } from "./endpoint.ts";
import type { Headers } from "./identity.ts";
import { createTermMemory, type TermMemory } from "./raft-term.ts";

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

/** An idle connection that broke is tried again once at the same member. */
const SECOND_TRIES = 1;

export class Ring {
  readonly #endpoints: readonly Endpoint[];
  readonly #terms: TermMemory;
  readonly #clock: Clock;
  /** The member that is asked first. */
  #first = 0;

  constructor(urls: readonly string[], tls: TlsTexts | undefined, clock: Clock) {
    this.#endpoints = urls.map((url) => createEndpoint(url, tls, clock));
    this.#terms = createTermMemory(clock);
    this.#clock = clock;
  }

  get size(): number {
    return this.#endpoints.length;
  }

  /** Any index names a member, for they stand in a ring. */
  member(index: number): Endpoint {
    const endpoint = this.#endpoints[index % this.#endpoints.length];
    if (endpoint !== undefined) return endpoint;
    throw new AppError("CONFIG_INVALID", "reach the store", "no endpoint is configured");
  }

  close(): void {
    for (const endpoint of this.#endpoints) endpoint.close();
  }

  /** One round over the members, until one of them answers. */
  async round(call: Call, headers: Headers, deadline: Instant): Promise<Verdict> {
    const post = { path: call.path, body: JSON.stringify(call.body), headers };
    const faults: string[] = [];
    let maybeDone = false;
    let secondTries = SECOND_TRIES;
    let index = call.from ?? this.#first;
    let left = this.#endpoints.length;
    while (left > 0) {
      const endpoint = this.member(index);
      const now = this.#clock.now();
      const share = after(now, between(now, deadline) / left);
      const answerBy = call.repeatable ? share : deadline;
      const limits = { connectBy: share, answerBy, signal: call.signal };
      const attempt = await endpoint.post(post, limits);
      const answer = this.#judge(attempt);
      if (answer.kind !== "failing") return answer;
      faults.push(`${endpoint.url}: ${answer.why}`);
      maybeDone ||= call.writes && (attempt.kind === "answer" || attempt.sent);
      const final = (maybeDone && !call.repeatable) || call.signal?.aborted === true;
      if (!final && attempt.kind === "failed" && attempt.stale && secondTries > 0) {
        secondTries -= 1;
        continue;
      }
      this.#moveOn(endpoint);
      if (final) break;
      index += 1;
      left -= 1;
    }
    const code = maybeDone ? "STORE_UNKNOWN" : "STORE_UNREACHABLE";
    throw new AppError(code, call.attempt, faults.join("; "));
  }

  #moveOn(from: Endpoint): void {
    if (this.member(this.#first) === from) this.#first = (this.#first + 1) % this.size;
  }

  /** An answer out of the past counts as none. */
  #judge(attempt: Attempt): Answer {
    if (attempt.kind === "failed") return { kind: "failing", why: attempt.why };
    const answer = answerIn(attempt.status, attempt.text);
    if (answer.kind !== "ok" || answer.header === undefined) return answer;
    if (this.#terms.accepts(answer.header)) return answer;
    return { kind: "failing", why: "it answers with an older raft term" };
  }
}
