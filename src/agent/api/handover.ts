// How does a person's wish for another leader become an intent in the store, and how did it end?

import { blockersOf } from "../../controllers/ha/plans/routers.ts";
import type { ClusterSnapshot, FailoverIntent } from "../../model/cluster.ts";
import { valueOf } from "../../model/known.ts";
import type { Member } from "../../model/member.ts";
import { isPausedAt } from "../../model/pause.ts";
import { after, between, type Ms } from "../../model/time.ts";
import type { JsonObject } from "../../model/wire/json.ts";
import { type Action, parseWish, type Wish } from "./handover-wish.ts";
import { type ApiContext, failure, type Route, type RouteAnswer, text } from "./route.ts";
import { READ_TIMEOUT_MS } from "./routes-read.ts";

const ASK_TIMEOUT_MS: Ms = 2_000;
const POLL_EVERY_MS: Ms = 200;
/** The new leader is given this long to finish its promotion before we answer all the same. */
const PROMOTION_MS: Ms = 10_000;

async function handOver(
  context: ApiContext,
  asked: Action,
  body: JsonObject,
): Promise<RouteAnswer> {
  try {
    const cluster = await context.node.readCluster(READ_TIMEOUT_MS);
    const config = cluster.config.value;
    const wallMs = context.clock.wallMs();
    const paused = config !== undefined && isPausedAt(config, wallMs);
    const wish = parseWish(asked, body, { paused, wallMs });
    if (!("intent" in wish)) return wish;
    const isScheduled = wish.intent.scheduledAt !== undefined;
    const objection = isScheduled ? undefined : await liveObjection(context, wish, cluster);
    if (objection !== undefined) return text(412, objection);
    if (!(await writeIntent(context, wish.intent, cluster))) {
      return text(503, "failed to write failover key into DCS");
    }
    context.log.info("a handover was asked for over REST", { action: wish.action, ...wish.intent });
    return isScheduled
      ? text(202, "Switchover scheduled")
      : await follow(context, wish, { cluster, wallMs });
  } catch (error) {
    return failure(error, asked);
  }
}

/** What stands against it right now, first line in Patroni's words, then a line for each member. */
async function liveObjection(
  context: ApiContext,
  { action, intent }: Wish,
  cluster: ClusterSnapshot,
): Promise<string | undefined> {
  const leader = cluster.leader?.name;
  if (action === "switchover" && intent.leader !== leader) return "leader name does not match";
  const others = cluster.members.filter(({ name }) => name !== leader);
  const named = others.filter(({ name }) => name === intent.candidate);
  if (intent.candidate !== undefined && named.length === 0) {
    return intent.candidate === leader
      ? "the candidate leads already"
      : "candidate does not exists";
  }
  const isUnfitForSync = intent.candidate !== undefined && !mayTakeOver(cluster, intent.candidate);
  if (action === "switchover" && isUnfitForSync)
    return "candidate name does not match with sync_standby";
  if (others.length === 0) {
    return `${action} is not possible: cluster does not have members except leader`;
  }
  const asked =
    intent.candidate === undefined
      ? others.filter(({ name }) => mayTakeOver(cluster, name))
      : named;
  if (action === "switchover" && asked.length === 0)
    return `${action} is not possible: can not find sync_standby`;
  const verdicts = await Promise.all(asked.map((member) => unfitness(context, member)));
  if (verdicts.includes(undefined)) return undefined;
  const reasons = asked.map(({ name }, index) => `${name}: ${verdicts[index]}`);
  return [`${action} is not possible: no good candidates have been found`, ...reasons].join("\n");
}

/** Where commits rely on named standbys, one of them takes over. In quorum mode the votes decide later, as in Patroni. */
function mayTakeOver({ sync, config }: ClusterSnapshot, name: string): boolean {
  if (sync.value === undefined || config.value?.synchronousMode !== "on") return true;
  return sync.value.standbys.includes(name);
}

/** Why this member can't take over; undefined when it can. */
async function unfitness({ node }: ApiContext, member: Member): Promise<string | undefined> {
  const answer = await node.askMember(member.apiUrl, ASK_TIMEOUT_MS);
  const status = valueOf(answer);
  if (status === undefined) {
    return `its agent does not answer (${answer.kind === "unknown" ? answer.why : ""})`;
  }
  if (status.tags.nofailover) return "it is tagged nofailover";
  if (status.unfit !== undefined) return status.unfit;
  return status.watchdogFailed ? "its watchdog failed" : undefined;
}

/** Compares with what was read; who came in between is overwritten once, as Patroni's tools expect. */
async function writeIntent(
  { node }: ApiContext,
  intent: FailoverIntent,
  cluster: ClusterSnapshot,
): Promise<boolean> {
  if ((await node.writeFailover(intent, cluster.failover.modRevision)) === "written") return true;
  const again = await node.readCluster(READ_TIMEOUT_MS);
  return (await node.writeFailover(intent, again.failover.modRevision)) === "written";
}

/** Watches until somebody new leads as a primary, the wish has vanished, or the time is up. */
async function follow(
  context: ApiContext,
  wish: Wish,
  asked: { readonly cluster: ClusterSnapshot; readonly wallMs: number },
): Promise<RouteAnswer> {
  const { node, clock } = context;
  const before = asked.cluster;
  const limitMs = 2 * Math.max(10_000, node.view().config.loopWaitMs);
  const startedAt = clock.now();
  const until = after(startedAt, limitMs);
  let newLeaderSince = until;
  while (clock.now() < until) {
    await clock.sleep(POLL_EVERY_MS);
    const cluster = await node.readCluster(READ_TIMEOUT_MS).catch(() => undefined);
    const leader = cluster?.leader?.name;
    if (cluster === undefined || leader === undefined) continue;
    if (leader !== before.leader?.name) {
      if (clock.now() < newLeaderSince) newLeaderSince = clock.now();
      const member = cluster.members.find(({ name }) => name === leader);
      const waitedMs = between(newLeaderSince, clock.now());
      const leads = member?.role === "primary" || member?.role === "standby leader";
      if (leads || waitedMs > PROMOTION_MS) return success(wish, leader);
    } else if (cluster.failover.value === undefined) {
      const because = cluster.members.find(({ name }) => name === leader)?.because;
      const why = ownRefusal(context, asked.wallMs) ?? because;
      const word = wish.action === "switchover" ? "Switchover" : "Failover";
      const words = [`${word} failed`, why, ...blockersIn(cluster, before)];
      return text(503, words.filter((line) => line !== undefined).join("\n"));
    }
  }
  const seconds = Math.round(between(startedAt, clock.now()) / 1000);
  return text(
    503,
    `${wish.action} status unknown after ${seconds} seconds; operation may still be in progress`,
  );
}

/** How a leader takes a wish back without a router's word. */
const REFUSALS: ReadonlySet<string> = new Set(["switchover_refused", "switchover_abandoned"]);
const JOURNAL_LINES = 20;

/** Why this very member has taken the wish back, if it was the leader; the store has only the name of its reason. */
function ownRefusal({ node }: ApiContext, sinceMs: number): string | undefined {
  const decided = node.journal(JOURNAL_LINES).findLast(({ because }) => REFUSALS.has(because));
  if (decided === undefined || decided.wallMs < sinceMs) return undefined;
  return `${decided.because}: ${decided.detail ?? ""}`;
}

/** Who held transactions open, as routers have answered since. */
function blockersIn(now: ClusterSnapshot, before: ClusterSnapshot): readonly string[] {
  const old = new Map(before.routers.map(({ name, answer }) => [name, answer?.intent]));
  return now.routers
    .filter(({ name, answer }) => answer?.kind === "busy" && answer.intent !== old.get(name))
    .map(blockersOf);
}

function success({ action, intent: { candidate } }: Wish, leader: string): RouteAnswer {
  const verb = action === "switchover" ? "switched" : "failed";
  if (candidate === undefined || candidate === leader) {
    return text(200, `Successfully ${verb} over to "${leader}"`);
  }
  const begun = action === "switchover" ? "Switched" : "Failed";
  return text(200, `${begun} over to "${leader}" instead of "${candidate}"`);
}

async function unschedule({ node }: ApiContext): Promise<RouteAnswer> {
  try {
    const { failover } = await node.readCluster(READ_TIMEOUT_MS);
    if (failover.value?.scheduledAt === undefined) return text(404, "no switchover is scheduled");
    const outcome = await node.writeFailover(undefined, failover.modRevision);
    if (outcome === "written") return text(200, "scheduled switchover deleted");
    return text(409, "the schedule changed meanwhile: look at it and try again");
  } catch (error) {
    return failure(error, "taking the scheduled switchover back");
  }
}

export const HANDOVER_ROUTES: readonly Route[] = [
  {
    method: "POST",
    path: "/switchover",
    about: "moves the leadership (`leader`, `candidate`, `scheduled_at`)",
    body: "required",
    answer: (context, { body }) => handOver(context, "switchover", body ?? {}),
  },
  {
    method: "POST",
    path: "/failover",
    about: "gives the leadership to `candidate`, also while nobody leads",
    body: "required",
    answer: (context, { body }) => handOver(context, "failover", body ?? {}),
  },
  {
    method: "DELETE",
    path: "/switchover",
    about: "takes a scheduled switchover back",
    answer: (context) => unschedule(context),
  },
];
