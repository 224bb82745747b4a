// How is the cluster before a failover on purpose? Everything that the conditions are judged by, from every member.
import type { Incident } from "../incident/incident.ts";
import type { GameDayKind } from "../model/game-day/game-day.ts";
import {
  type ClusterFacts,
  type MemberFacts,
  type Precondition,
  preconditionsOf,
  type Wish,
} from "../model/game-day/preconditions.ts";
import { isObject } from "../model/wire/json.ts";
import { parseRfc3339 } from "../model/wire/rfc3339.ts";
import type { StatusCluster } from "../model/wire/status.ts";
import { availabilityOf } from "./availability.ts";
import { CliFailure, EXIT } from "./exit.ts";
import { jobsAt } from "./jobs.ts";
import { type MemberOverview, type Overview, overviewOf } from "./overview.ts";
import { call, listIn, plainJson } from "./rest.ts";
import type { Target } from "./target.ts";

/** A member asks all others before it answers, and a dead one costs it the whole wait. */
const TELL_LIMIT_MS = 10_000;
/** What follows so soon on trouble is told as a part of it. */
const QUIET_MS = 60_000;

export interface Situation {
  readonly overview: Overview;
  readonly leader: MemberOverview;
  /** The clock of the member that answered, in milliseconds since 1970. */
  readonly asOf: number;
  readonly preconditions: readonly Precondition[];
}

export interface Plan extends Wish {
  readonly kind: GameDayKind;
  readonly by: string;
  readonly countdownMs: number;
  /** Everybody has to be well again by then. */
  readonly settleMs: number;
}

export interface Stage {
  readonly target: Target;
  readonly plan: Plan;
  readonly before: Situation;
  /** Of the schedule, where it made it. */
  readonly momentMs?: number;
  /** Talk for people. */
  readonly tell: (words: string) => void;
}

/** Throws when nobody leads: there is nothing to fail over from. */
export async function situationOf(target: Target, wish: Wish): Promise<Situation> {
  const overview = await overviewOf(target);
  const leader = overview.members.find(({ leads }) => leads);
  if (leader === undefined)
    throw new CliFailure(EXIT.critical, "nobody leads the cluster now", overview.sentence);
  const facts = await factsOf(target, overview, leader.apiUrl);
  return {
    overview,
    leader,
    asOf: parseRfc3339(overview.asOf) ?? Date.now(),
    preconditions: preconditionsOf(facts, wish),
  };
}

async function factsOf(target: Target, overview: Overview, apiUrl: string): Promise<ClusterFacts> {
  const { cluster } = overview;
  const [members, synchronousWanted, troubles, budgets] = await Promise.all([
    Promise.all(overview.members.map((member) => memberFacts(target, member))),
    synchronousIn(target, apiUrl),
    troublesAt(target, apiUrl),
    availabilityOf(target, Date.now()),
  ]);
  const { follows, unguarded, storeTrouble } = cluster;
  return {
    members,
    paused: cluster.paused,
    unguarded: unguarded?.member,
    follows: follows === undefined ? undefined : `${follows.host}:${follows.port}`,
    storeTrouble,
    switchover: switchoverText(cluster),
    synchronousWanted,
    troubles,
    budgets: budgets.map(({ path, by, month }) => ({
      way: `${path}, by ${by}`,
      leftMs: month.planned.leftMs,
    })),
  };
}

async function memberFacts(target: Target, member: MemberOverview): Promise<MemberFacts> {
  const { name, leads, agent, state, replicationState, lagBytes, scheduledRestart } = member;
  const jobs = await jobsAt(target, member.apiUrl).catch(() => undefined);
  const running = jobs?.filter((job) => job.state === "running").map(({ task }) => task);
  return {
    name,
    leads,
    answers: agent.answers,
    state,
    replicationState,
    lagBytes,
    isSynchronous: member.syncPart !== undefined,
    isBarred: member.tags["nofailover"] === true,
    scheduledRestart,
    step: agent.answers ? agent.node.job?.name : undefined,
    jobs: running,
    hasFence: agent.answers && agent.node.fence.alive,
  };
}

function switchoverText({ switchover }: StatusCluster): string | undefined {
  if (switchover === undefined) return undefined;
  const { at, to } = switchover;
  return `${to === undefined ? "" : `to ${to} `}${at === undefined ? "is under way" : `at ${at}`}`;
}

/** How many synchronous standbys the configuration asks for. Throws when it can not be read. */
async function synchronousIn(target: Target, apiUrl: string): Promise<number> {
  const answer = await call(target, { method: "GET", url: `${apiUrl}/config` });
  const config = answer.status === 200 ? plainJson(answer.body) : undefined;
  if (!isObject(config))
    throw new CliFailure(EXIT.unreachable, "the configuration could not be read", answer.body);
  const mode = config["synchronous_mode"] ?? "off";
  if (mode === false || mode === "off" || mode === "false") return 0;
  const count = Number(config["synchronous_node_count"] ?? 1);
  return Number.isInteger(count) && count > 0 ? count : 1;
}

async function troublesAt(target: Target, apiUrl: string): Promise<readonly string[] | undefined> {
  const url = `${apiUrl}/understudy/incidents`;
  const answer = await call(target, { method: "GET", url, timeoutMs: TELL_LIMIT_MS }).catch(
    () => undefined,
  );
  const told = answer === undefined ? undefined : listIn(answer);
  if (told === undefined) return undefined;
  const asOf = parseRfc3339(String(told.whole["asOf"])) ?? Date.now();
  return (told.items as readonly Pick<Incident, "id" | "endedAt">[])
    .filter(({ endedAt }) => endedAt === undefined || asOf - endedAt < QUIET_MS)
    .map(({ id, endedAt }) => (endedAt === undefined ? `${id} goes on` : `${id} is hardly over`));
}
