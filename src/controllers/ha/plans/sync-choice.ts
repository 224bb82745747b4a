// Which standbys should a commit wait for now?
import type { ClusterSnapshot } from "../../../model/cluster.ts";
import { type Lsn, lagBytes, maxLsn, ZERO_LSN } from "../../../model/lsn.ts";
import type { Member } from "../../../model/member.ts";
import type { SyncNames } from "../../../model/sync.ts";
import { waitOf } from "../../../model/sync.ts";
import { after } from "../../../model/time.ts";
import type { HaWorld } from "../world.ts";
import { clusterOf, sqlOf } from "./standing.ts";

/** With no standby left the last one is waited for so long; then the primary is alone. */
export const ALONE_AFTER_MS = 3_000;

interface Choosable {
  readonly member: Member;
  readonly flushed: Lsn;
}

/** Standbys that stream from this very server, whose agents are there, and that may be synchronous; the best first. */
export function choosable(w: HaWorld): readonly Member[] {
  const c = clusterOf(w);
  const sql = sqlOf(w);
  if (c === undefined || sql === undefined) return [];
  const found = c.members.flatMap((member): readonly Choosable[] => {
    const sender = sql.senders.find((s) => s.name === member.name && s.state === "streaming");
    const isFit = member.state === "running" && member.role === "standby" && !member.tags.nosync;
    if (member.name === w.self.name || !isFit || sender?.flushLsn === undefined) return [];
    return [{ member, flushed: sender.flushLsn }];
  });
  const best = found.reduce((most, f) => maxLsn(most, f.flushed), ZERO_LSN);
  const most = w.config.maximumLagOnSyncnode;
  const near = found.filter((f) => most === undefined || lagBytes(best, f.flushed) <= most);
  return near.toSorted((a, b) => rank(w, c, a, b)).map((f) => f.member);
}

/** Priority first; then whoever is synchronous stays; then who could lead; then who has more. */
// oxlint-disable-next-line eslint/max-params -- a comparison
function rank(w: HaWorld, c: ClusterSnapshot, a: Choosable, b: Choosable): number {
  const named = waitOf(w.server.syncNames).members;
  const keys = ({ member, flushed }: Choosable): readonly number[] => [
    member.tags.syncPriority ?? 1,
    Number(named.includes(member.name) || c.sync.value?.standbys.includes(member.name) === true),
    Number(!member.tags.nofailover),
    Number(flushed),
  ];
  const [x, y] = [keys(a), keys(b)];
  for (const [i, value] of x.entries()) {
    const other = y[i] ?? 0;
    if (value !== other) return other - value;
  }
  return a.member.name < b.member.name ? -1 : 1;
}

/** The names that this configuration asks for, given who can be chosen; undefined while a standby that has just gone may still come back. */
export function wantedNames(w: HaWorld, choice: readonly Member[]): SyncNames | undefined {
  const { synchronousMode, synchronousNodeCount, synchronousModeStrict } = w.config;
  const fit = choice.map(({ name }) => name);
  if (fit.length === 0) {
    if (!isAlone(w)) return undefined;
    return synchronousModeStrict ? { kind: "closed" } : { kind: "nobody" };
  }
  const count = Math.min(synchronousNodeCount, fit.length);
  if (synchronousMode === "quorum") return { kind: "any", count, members: fit.toSorted() };
  return { kind: "first", count, members: fit.slice(0, count).toSorted() };
}

/** For long enough without a standby, or there is no other member that could become one. */
function isAlone(w: HaWorld): boolean {
  const others = clusterOf(w)?.members.filter((m) => m.name !== w.self.name) ?? [];
  if (others.length === 0) return true;
  const since = w.memory.syncAloneSince;
  return since !== undefined && w.now >= after(since, ALONE_AFTER_MS);
}
