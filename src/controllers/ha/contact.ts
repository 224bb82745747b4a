// Does anybody answer a holder: the store, or at least one of those who could take over? (R33)
//
// Silence is what was tried and failed: every endpoint of the store, every rival, for half a second at the least, by a
// loop that was not late itself. Peers are asked only when the store has not answered at once, so that a healthy
// cluster pays nothing.
import type { ClusterSnapshot, Roster } from "../../model/cluster.ts";
import { type DynamicConfig, holdMsOf } from "../../model/config.ts";
import type { Known } from "../../model/known.ts";
import { renewEveryMs } from "../../model/lease.ts";
import { after, between, type Instant, type Ms } from "../../model/time.ts";
import type { Clock } from "../../ports/clock.ts";
import type { LeaseKeeping } from "../../ports/lease.ts";
import type { Peers } from "../../ports/peers.ts";
import { lastHeardAt, rivalsOf } from "./plans/isolation.ts";
import type { Contact, HaMemory } from "./world.ts";

/** A store that has not answered by then may not answer at all. */
const AT_ONCE_MS: Ms = 150;
/** Whoever is asked gets at least this long. */
const LEAST_WAIT_MS: Ms = 500;
/** A look that took this much longer than its limit was late itself: its timeouts prove nothing. */
const LATE_MS: Ms = 500;
/** So long before its lease ends a holder has ended its last look at a silent store. */
const LAST_LOOK_MS: Ms = 900;

interface ContactPorts {
  readonly clock: Clock;
  readonly lease: Pick<LeaseKeeping, "view">;
  readonly peers: Pick<Peers, "reach">;
}

export interface Listening {
  readonly self: string;
  readonly config: DynamicConfig;
  readonly memory: HaMemory;
  read(limitMs: Ms): Promise<Known<ClusterSnapshot>>;
}

const NOT_TRIED: Contact = { heardAt: undefined, everybodySilent: false };

/** Reads the store; a holder that gets no answer at once asks its rivals whether they are there. */
export async function listen(
  ports: ContactPorts,
  { self, config, memory, read }: Listening,
): Promise<{ readonly store: Known<ClusterSnapshot>; readonly contact: Contact }> {
  const { clock, lease } = ports;
  const { held, renewedAt } = lease.view();
  if (held === undefined) return { store: await read(config.retryTimeoutMs), contact: NOT_TRIED };
  const startedAt = clock.now();
  const heardAt = lastHeardAt(memory, renewedAt) ?? startedAt;
  const limitMs = lookLimitMs(config, { startedAt, heardAt, leaseEndsAt: held.validUntil });
  const reading = read(limitMs);
  const early = await atOnce(ports, reading);
  if (early?.kind === "known") return { store: early, contact: heard(early.at) };
  const leftMs = Math.max(LEAST_WAIT_MS, limitMs - between(startedAt, clock.now()));
  const [store, reachedAt] = await Promise.all([
    reading,
    firstAnswer(ports, rivalsOf(self, memory), leftMs),
  ]);
  if (store.kind === "known") return { store, contact: heard(store.at) };
  if (reachedAt !== undefined) return { store, contact: heard(reachedAt) };
  const isLate = between(startedAt, clock.now()) > Math.max(limitMs, leftMs) + LATE_MS;
  return { store, contact: { heardAt: undefined, everybodySilent: !isLate } };
}

const heard = (heardAt: Instant): Contact => ({ heardAt, everybodySilent: false });

/**
 * A holder's word is too old to count when its look at a silent store takes longer (R38). It must be back when it would
 * be isolated, and before its lease ends.
 */
function lookLimitMs(
  config: DynamicConfig,
  at: { readonly startedAt: Instant; readonly heardAt: Instant; readonly leaseEndsAt: Instant },
): Ms {
  const regular = Math.min(config.retryTimeoutMs, renewEveryMs(holdMsOf(config)));
  const untilIsolated = config.isolationMs - between(at.heardAt, at.startedAt);
  const untilLeaving = between(at.startedAt, at.leaseEndsAt) - LAST_LOOK_MS;
  const wanted = config.isolationMs > 0 && untilIsolated > 0 ? untilIsolated : regular;
  return Math.max(LEAST_WAIT_MS, Math.min(regular, wanted, untilLeaving));
}

/** The store's answer if it comes at once. */
function atOnce(
  { clock }: ContactPorts,
  reading: Promise<Known<ClusterSnapshot>>,
): Promise<Known<ClusterSnapshot> | undefined> {
  return new Promise((resolve) => {
    const timer = clock.wakeAt(after(clock.now(), AT_ONCE_MS), () => resolve(undefined));
    const answered = (store: Known<ClusterSnapshot>): void => {
      timer.cancel();
      resolve(store);
    };
    void reading.then(answered);
  });
}

/** When the first of them answered, whatever it said. */
async function firstAnswer(
  { clock, peers }: ContactPorts,
  rivals: Roster,
  timeoutMs: Ms,
): Promise<Instant | undefined> {
  const answers = await Promise.all(
    Object.values(rivals).map(async (apiUrl) =>
      (await peers.reach(apiUrl, timeoutMs)) ? clock.now() : undefined,
    ),
  );
  return answers.find((at) => at !== undefined);
}
