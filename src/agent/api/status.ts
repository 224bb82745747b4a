// What does the one-screen status need to know, in one answer from memory?
import { type ClusterSnapshot, syncPartOf } from "../../model/cluster.ts";
import { valueOf } from "../../model/known.ts";
import { isValid } from "../../model/lease.ts";
import { lagBytes, printLsn } from "../../model/lsn.ts";
import type { Member } from "../../model/member.ts";
import type { PauseNote } from "../../model/pause.ts";
import { sentence } from "../../model/reason.ts";
import type { RouterStatus } from "../../model/route.ts";
import type { StandbyCluster } from "../../model/site.ts";
import { between } from "../../model/time.ts";
import { lagOf, type Verdict, verdictOn } from "../../model/verdict.ts";
import { printReasons } from "../../model/wire/member.ts";
import { printRfc3339 } from "../../model/wire/rfc3339.ts";
import type {
  StatusCluster,
  StatusJson,
  StatusMember,
  StatusNode,
  StatusSite,
} from "../../model/wire/status.ts";
import { printTags } from "../../model/wire/tags.ts";
import { acceptsWrites } from "./health.ts";
import type { View } from "./node-view.ts";
import type { About, Moment } from "./own-status.ts";
import { slotsPart } from "./slot-status.ts";
import { walOf } from "./wal-status.ts";

export function statusJson(view: View, about: About, moment: Moment): StatusJson {
  const { health, sentence: words, warnings } = verdict(view, moment);
  return {
    apiVersion: "understudy/v1",
    kind: "Status",
    asOf: printRfc3339(moment.wallMs),
    scope: about.settings.scope,
    member: view.member.name,
    health,
    sentence: words,
    warnings,
    cluster: clusterPart(view, moment),
    members: (view.cluster?.seen.members ?? [])
      .toSorted((a, b) => (a.name < b.name ? -1 : 1))
      .map((member) => memberPart(view, member)),
    ...routersPart(view.cluster?.seen.routers ?? []),
    ...some("incident", view.incidents?.latest),
    node: nodePart(view, about, moment),
  };
}

function routersPart(routers: readonly RouterStatus[]): Pick<StatusJson, "routers"> {
  if (routers.length === 0) return {};
  return {
    routers: routers.map(({ name, apiUrl, addresses, term, primary, because, answer }) => ({
      name,
      apiUrl,
      addresses,
      term,
      ...some("primary", primary),
      because,
      ...(answer?.kind === "busy" ? { blockers: answer.blockers } : {}),
    })),
  };
}

function verdict(view: View, { now, wallMs }: Moment): Verdict {
  if (view.cluster === undefined) {
    const why = view.storeTrouble ?? "it has not answered yet";
    return { health: "unknown", sentence: "the store cannot be read", warnings: [why] };
  }
  const seen = verdictOn(view.cluster.seen, view.config.maximumLagOnFailover, wallMs);
  if (view.storeTrouble === undefined) return seen;
  const age = Math.round(between(view.cluster.at, now) / 1000);
  const trouble = `the store cannot be read for ${age} s: ${view.storeTrouble}`;
  const health = seen.health === "critical" ? "critical" : "unknown";
  return { ...seen, health, warnings: [trouble, ...seen.warnings] };
}

function clusterPart(view: View, { now, wallMs }: Moment): StatusCluster {
  const seen = view.cluster?.seen;
  const intent = seen?.failover.value;
  const leader = seen?.members.find(({ name }) => name === seen.leader?.name);
  return {
    ...(seen?.leader === undefined ? {} : { leader: seen.leader.name }),
    ...some("systemId", seen?.initialize.value),
    ...some("timeline", leader?.timeline),
    paused: view.config.paused,
    ...(view.config.paused ? { pause: pausePart(view.config.pauseNote, wallMs) } : {}),
    ...some("unguarded", unguardedPart(seen, wallMs)),
    ...followsPart(view.config.standbyCluster),
    ttlMs: view.config.ttlMs,
    ...(view.cluster === undefined ? {} : { ageMs: Math.round(between(view.cluster.at, now)) }),
    ...some("storeTrouble", view.storeTrouble),
    ...(intent === undefined
      ? {}
      : {
          switchover: {
            ...some("at", intent.scheduledAt),
            ...some("from", intent.leader),
            ...some("to", intent.candidate),
          },
        }),
  };
}

function unguardedPart(seen: ClusterSnapshot | undefined, wallMs: number) {
  const record = seen?.unguarded.value;
  if (record === undefined) return undefined;
  const { member, sinceMs } = record;
  return { member, ...some("forMs", sinceMs === undefined ? undefined : wallMs - sinceMs) };
}

const followsPart = (site: StandbyCluster | undefined): Pick<StatusCluster, "follows"> =>
  site === undefined
    ? {}
    : { follows: { host: site.host, port: site.port, ...some("slot", site.slot) } };

function sitePart({ remote, server }: View, now: Moment["now"]): StatusSite | undefined {
  if (remote === undefined) return undefined;
  const { seen, last } = remote;
  const mine = server === undefined ? undefined : valueOf(server.seen.sql)?.position;
  const lag =
    last === undefined || mine === undefined ? undefined : lagBytes(last.site.position, mine);
  return {
    answers: seen.kind === "known",
    ...some("why", seen.kind === "unknown" ? seen.why : undefined),
    ...some("takesWrites", last?.site.takesWrites),
    ...some("timeline", last?.site.timeline),
    ...some("lagBytes", lag),
    ...some("seenAgoMs", last === undefined ? undefined : Math.round(between(last.at, now))),
  };
}

function pausePart(note: PauseNote, wallMs: number): NonNullable<StatusCluster["pause"]> {
  const { by, reason, sinceMs, untilMs } = note;
  return {
    ...some("by", by),
    ...some("reason", reason),
    ...some("forMs", sinceMs === undefined ? undefined : wallMs - sinceMs),
    ...some("leftMs", untilMs === undefined ? undefined : untilMs - wallMs),
  };
}

function memberPart(view: View, member: Member): StatusMember {
  const seen = view.cluster?.seen;
  const leads = seen?.leader?.name === member.name;
  return {
    name: member.name,
    leads,
    role: member.role,
    ...some("syncPart", leads || seen === undefined ? undefined : syncPartOf(seen, member.name)),
    state: member.state,
    ...some("replicationState", leads ? undefined : member.replicationState),
    host: member.host,
    port: member.port,
    apiUrl: member.apiUrl,
    ...some("timeline", member.timeline),
    ...some("position", member.position === undefined ? undefined : printLsn(member.position)),
    ...some("lagBytes", leads || seen === undefined ? undefined : lagOf(member, seen)),
    ...some("because", member.because),
    pendingRestart: member.pendingRestart.map(({ parameter }) => parameter),
    pendingRestartReason: printReasons(member.pendingRestart),
    ...some("scheduledRestart", member.scheduledRestart?.at),
    tags: printTags(member.tags),
  };
}

function nodePart(view: View, about: About, { now }: Moment): StatusNode {
  const { because, job, lease, fence, loop, server } = view;
  const sql = server === undefined ? undefined : valueOf(server.seen.sql);
  const since = (at: typeof now): number => Math.round(between(at, now));
  const at = (when: typeof now | undefined): number | undefined =>
    when === undefined ? undefined : since(when);
  return {
    agent: about.agentVersion,
    ...(because === undefined
      ? {}
      : {
          because: {
            reason: because.reason,
            sentence: sentence(because.reason),
            ...some("detail", because.detail),
            forMs: since(because.since),
          },
        }),
    ...(job === undefined
      ? {}
      : {
          job: { name: job.name, ...some("progress", job.progress), forMs: since(job.startedAt) },
        }),
    ...(isValid(lease, now)
      ? {
          lease: {
            term: lease.term,
            leftMs: -since(lease.validUntil),
            ...some("renewedAgoMs", at(view.leaseRenewedAt)),
          },
        }
      : {}),
    fence: {
      alive: fence.alive,
      armed: fence.armed !== undefined,
      ...(fence.unguarded === undefined ? {} : { unguarded: true }),
      ...(fence.armed === undefined ? {} : { leftMs: -since(fence.armed.until) }),
      ...some("roundTripMs", rounded(fence.roundTripMs)),
      watchdog: fence.watchdog,
      lacking: fence.lacking,
    },
    loop: {
      ...some("lastTickAgoMs", at(loop.lastTickAt)),
      ...some("lastTickMs", rounded(loop.lastTickMs)),
      ...some("eventLoopDelayMs", rounded(loop.eventLoopDelayMs)),
    },
    server: {
      state: view.member.state,
      ...some("version", sql?.version),
      ...some("startedAt", sql?.startedAtText),
      acceptsWrites: acceptsWrites(view),
      ...some("ageMs", at(server?.at)),
      ...some("upstream", sql?.inRecovery === true ? sql.upstream : undefined),
      ...some("diskFreeBytes", server?.seen.diskFreeBytes),
      binariesChanged: server?.seen.binariesChanged ?? false,
    },
    ...some("site", sitePart(view, now)),
    ...some("lag", view.lag),
    ...some("wal", walOf(view)),
    ...some("vault", view.vault),
    ...(view.scheduleWarnings?.length ? { scheduleWarnings: view.scheduleWarnings } : {}),
    ...slotsPart(view),
  };
}

/** Tenths of a millisecond are all that anybody reads. */
const rounded = (ms: number | undefined): number | undefined =>
  ms === undefined ? undefined : Math.round(ms * 10) / 10;

/** The field, or nothing at all when there is no value. */
function some<K extends string, V>(key: K, value: V | undefined): { readonly [P in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [P in K]?: V });
}
