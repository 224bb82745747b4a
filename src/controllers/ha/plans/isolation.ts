// Is this primary alone in the world, and could somebody else take over meanwhile? (R33)
//
// Writes that such a primary acknowledges will never be seen again once another leads. So it closes the gate: a commit
// waits for a standby that does not exist. That can be undone within milliseconds when the contact returns.
import type { Roster } from "../../../model/cluster.ts";
import { after, type Instant } from "../../../model/time.ts";
import type { ClosedGate } from "../../../ports/postgres.ts";
import type { Verdict } from "../rungs/rung.ts";
import type { HaMemory, HaWorld } from "../world.ts";
import { isSyncCluster } from "./sync-keeping.ts";

const LOOK_AGAIN_MS = 250;

/** Who could take over besides `self`, as the store last showed it: nobody while no leader has listed anybody. */
export const rivalsOf = (self: string, memory: HaMemory): Roster =>
  Object.fromEntries(
    Object.entries(memory.roster.confirmed ?? {}).filter(([name]) => name !== self),
  );

/** When anybody last answered this holder: a look, or a renewal that counted. */
export function lastHeardAt(memory: HaMemory, renewedAt: Instant | undefined): Instant | undefined {
  const { heardAt } = memory;
  if (heardAt === undefined || renewedAt === undefined) return heardAt ?? renewedAt;
  return heardAt > renewedAt ? heardAt : renewedAt;
}

/** Alone for as long as allowed, with a rival in the list. */
function isIsolated(w: HaWorld): boolean {
  const { isolationMs } = w.config;
  const heardAt = lastHeardAt(w.memory, w.lease.renewedAt);
  if (isolationMs === 0 || heardAt === undefined || !w.contact.everybodySilent) return false;
  const hasRival = Object.keys(rivalsOf(w.self.name, w.memory)).length > 0;
  return hasRival && w.now - heardAt >= isolationMs;
}

const isClosed = (w: HaWorld): boolean => w.server.syncNames.kind === "closed";

/** What isolation asks of a primary whose lease is still valid; undefined when it has company, or always was alone. */
export function isolation(w: HaWorld): Verdict | undefined {
  // With synchronous standbys nothing doomed is acknowledged anyway, and a closed gate is not ours to open.
  if (isSyncCluster(w)) return undefined;
  if (isIsolated(w)) return isClosed(w) && isProven(w) ? waiting(w) : closing(w);
  return isClosed(w) && w.contact.heardAt !== undefined ? openGate(w) : undefined;
}

/** R20: closed is what every process of the server goes by, not what the file says. */
function isProven(w: HaWorld): boolean {
  const last = w.outcomes["close-gate"];
  const gate = last?.ok === true ? (last.result as ClosedGate | undefined) : undefined;
  const heardAt = lastHeardAt(w.memory, w.lease.renewedAt);
  return gate?.kind === "closed" && last !== undefined && last.at > (heardAt ?? w.now);
}

function closing(w: HaWorld): Verdict {
  const detail = `nobody has answered for ${w.config.isolationMs} ms`;
  return { because: "isolated_closing_gate", detail, step: { kind: "close-gate" }, vouch: true };
}

function waiting(w: HaWorld): Verdict {
  return { because: "isolated_gate_closed", vouch: true, wakeAt: after(w.now, LOOK_AGAIN_MS) };
}

/** Also when the gate was left closed by an earlier isolation. */
export function openGate(w: HaWorld): Verdict | undefined {
  if (!isClosed(w) || isSyncCluster(w)) return undefined;
  return { because: "isolated_opening_gate", step: { kind: "open-gate" }, vouch: true };
}
