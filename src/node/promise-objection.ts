// What does this member know that stands against promising not to race?
import type { ClusterSnapshot } from "../model/cluster.ts";
import { type DynamicConfig, holdMsOf } from "../model/config.ts";
import { rivalMayActAt } from "../model/lease.ts";
import type { PromiseAsked } from "../model/promise.ts";
import type { LocalServer } from "../model/server.ts";
import type { Instant } from "../model/time.ts";
import { headOf } from "../model/timeline.ts";
import type { LeaseView } from "../ports/lease.ts";

export interface Standing {
  readonly name: string;
  readonly config: DynamicConfig;
  readonly lease: LeaseView;
  /** The last snapshot that could be read, however old. */
  readonly cluster: ClusterSnapshot | undefined;
  readonly server: LocalServer | undefined;
  readonly now: Instant;
}

/** A promise longer than this is a mistake: no configuration has such a ttl. */
const LONGEST_MS = 86_400_000;

/** The reason to refuse, in Patroni's words where it has some; undefined when this member may promise. */
export function objectionTo(asked: PromiseAsked, s: Standing): string | undefined {
  if (!s.config.failsafeMode) return "failsafe_mode is off";
  if (asked.grantee === s.name) return "that is myself";
  if (!(asked.durationMs > 0 && asked.durationMs <= LONGEST_MS)) return "for how long?";
  if (mayLead(s)) return "Running as a leader";
  const known = newestTerm(s);
  if (asked.term < known) return `term ${known} is known here`;
  const leader = s.cluster?.leader;
  if (leader?.term === asked.term && leader.name !== asked.grantee)
    return `${leader.name} leads in term ${asked.term}`;
  return undefined;
}

/** The lease is ours, or an acquire of ours may still make it so; or the server takes writes, whoever allowed it. */
function mayLead({ lease, server, config, now }: Standing): boolean {
  const { held, acquireUnknownSince: sentAt } = lease;
  const isOpen = sentAt !== undefined && now < rivalMayActAt(sentAt, holdMsOf(config));
  const isPrimary = server?.sql.kind === "known" && !server.sql.value.inRecovery;
  return held !== undefined || isOpen || (isPrimary && server.process.kind !== "down");
}

const newestTerm = ({ cluster, server }: Standing): number =>
  Math.max(
    cluster?.leader?.term ?? 0,
    cluster?.hold?.term ?? 0,
    headOf(server?.lineage ?? [])?.term ?? 0,
  );
