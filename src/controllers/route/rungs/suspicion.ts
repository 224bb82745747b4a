// Is the primary that clients are sent to gone? Then they wait, for a while and not too often; and when do they go on?
import { after } from "../../../model/time.ts";
import { ASK_AGAIN_MS, SUSPICION_DRAIN_MS, SUSPICION_MS } from "../limits.ts";
import { clusterOf, isPointed, isReadOnly, mayAlarm, takesWrites } from "../plans/standing.ts";
import type { Pause, RouteWorld, Trouble } from "../world.ts";
import type { Verdict } from "./rung.ts";

/** What speaks against the primary now; the same trouble keeps the moment at which it began. */
export function troubleOf(w: RouteWorld): Trouble | undefined {
  const c = clusterOf(w);
  const { applied, trouble } = w.memory;
  if (c === undefined) return trouble;
  if (applied?.write === undefined) return isReadOnly(c) ? undefined : trouble;
  const kind = kindOf(w);
  if (kind === undefined) return undefined;
  return kind === trouble?.kind ? trouble : { kind, since: w.now };
}

function kindOf(w: RouteWorld): Trouble["kind"] | undefined {
  const c = clusterOf(w);
  if (c === undefined) return undefined;
  if (c.leader === undefined) return "leaderless";
  if (!isPointed(c, w.memory)) return "succeeded";
  return w.lostSince === undefined ? undefined : "lost";
}

const SENTENCES: Readonly<Record<Trouble["kind"], string>> = {
  lost: "our own connection to the primary broke",
  leaderless: "nobody leads",
  succeeded: "another member leads",
};

/** Pauses clients when trouble begins. */
export function suspicion(w: RouteWorld): Verdict | undefined {
  const { memory, self, now } = w;
  const { trouble, dismissed, applied } = memory;
  if (trouble === undefined || applied === undefined || memory.pause !== undefined)
    return undefined;
  if (self.settings.pgbouncer === undefined) return undefined;
  const isNew = dismissed === undefined || trouble.since > dismissed;
  if (!isNew || !mayAlarm(memory, now)) return undefined;
  return {
    because: "route_suspecting",
    detail: SENTENCES[trouble.kind],
    step: {
      kind: "hold",
      cause: { kind: "suspected" },
      term: applied.term,
      drainMs: SUSPICION_DRAIN_MS,
      limitMs: self.settings.holdLimitMs,
      announce: undefined,
    },
  };
}

/** A pause that is in force: it ends when clients are sent to a primary that can be reached, or has lasted too long. */
export function paused(w: RouteWorld): Verdict | undefined {
  const { memory } = w;
  const { pause, applied } = memory;
  const c = clusterOf(w);
  if (pause === undefined || c === undefined) return undefined;
  if (!isPointed(c, memory)) {
    const wakeAt = after(w.now, ASK_AGAIN_MS);
    const detail = c.leader === undefined ? "nobody leads" : `${c.leader.name} is not ready yet`;
    return { because: "route_waiting_for_primary", detail, wakeAt };
  }
  const isAnother = pause.cause.kind !== "inherited" && applied?.term !== pause.term;
  const isBack = w.lostSince === undefined;
  // A server that is back may be a standby by now. Its agent knows: who heard nothing good of it waits a little longer.
  const says = takesWrites(w, c);
  const isTrusted = pause.cause.kind === "suspected" ? says === true : says !== false;
  const isReady = isAnother || isReadOnly(c) || (isBack && isTrusted);
  if (isReady || w.now >= patienceOf(pause))
    return { because: "route_releasing", step: { kind: "release" } };
  const askAgainAt = after(w.now, ASK_AGAIN_MS);
  return { because: "route_suspected", wakeAt: isBack ? askAgainAt : patienceOf(pause) };
}

/** The same leader is there and its server is not: how long may clients wait for it? */
const patienceOf = ({ cause, since, until }: Pause) =>
  cause.kind === "asked" ? until : after(since, Math.min(SUSPICION_MS, until - since));
