// What did a failover on purpose cost, and was every promise kept? Measured by several eyes, each named.
import { setTimeout as sleep } from "node:timers/promises";
import { type Incident, isOnPurpose } from "../incident/incident.ts";
import { type GameDay, type GameDayReport, type Pause } from "../model/game-day/game-day.ts";
import { hasHappened, type Leading } from "../model/game-day/happened.ts";
import { findingsOf, type History, type Measured, verdictOf } from "../model/game-day/judge.ts";
import { lsn, printLsn } from "../model/lsn.ts";
import { isObject, parseJson, textIn } from "../model/wire/json.ts";
import { availabilityOf } from "./availability.ts";
import type { Stage } from "./game-day-situation.ts";
import { type MemberOverview, type Overview, overviewOf } from "./overview.ts";
import { call, listIn, plainJson } from "./rest.ts";
import type { Target } from "./target.ts";

const POLL_MS = 500;
const TELL_LIMIT_MS = 10_000;
/** Members tell an incident within seconds; the list of what is open in it follows when all stream again. */
const INCIDENT_LIMIT_MS = 30_000;
/** How long the drill's own probe may take to find the new primary. */
const WRITES_LIMIT_MS = 15_000;
/** Two hosts' clocks may differ by so much without anybody having said so. */
const CLOCKS_MS = 3_000;

interface Watched extends Stage {
  readonly day: GameDay;
  /** Whose agent writes the drill's own probe. */
  readonly prober: MemberOverview;
  /** When it began, by `performance.now()`. */
  readonly atMs: number;
  /** Why the members did not do it. */
  readonly refusal: string | undefined;
}

export async function reportOn(w: Watched): Promise<GameDayReport> {
  const settled = await untilSettled(w);
  const incident = w.refusal === undefined ? await incidentOf(w) : undefined;
  const own = await ownProbe(w);
  const now = settled?.now ?? (await overviewOf(w.target).catch(() => undefined));
  const primary = now?.members.find(({ leads }) => leads);
  const pauses = [...(await waysOf(w)), own.pause, ...incidentPause(incident)];
  const measured: Measured = {
    kind: w.day.kind,
    from: w.day.from,
    refusal: w.refusal,
    primaryAfter: primary?.name,
    pauses,
    settledMs: settled?.afterMs,
    positionBefore: w.before.leader.position,
    positionAfter: primary?.position,
    acknowledged: own.before,
    history: await historyOf(w, now).catch(() => undefined),
    incident: incident && {
      id: incident.id,
      isOver: incident.endedAt !== undefined,
      lost: incident.loss?.sentence,
      isLost: incident.loss?.acknowledged,
      lostBytes: incident.loss?.bytes ?? 0,
      open: incident.checklist.filter(isUndone).map(({ what }) => what),
    },
  };
  const findings = findingsOf(measured, w.plan);
  return {
    verdict: verdictOf(findings),
    endedAt: Date.now(),
    ...(primary === undefined ? {} : { primary: primary.name }),
    ...(incident === undefined ? {} : { incident: incident.id }),
    phases: (incident?.phases ?? []).map(({ name, from, to }) => ({
      name,
      ...(to === undefined ? {} : { ms: to - from }),
    })),
    pauses,
    findings,
  };
}

const isUndone = ({ state }: Incident["checklist"][number]): boolean =>
  state === "open" || state === "failed";

/** Until another server takes writes, or the same one anew, and everybody streams from it. */
async function untilSettled({ target, plan, before, day, atMs, refusal }: Watched) {
  const until = atMs + plan.settleMs;
  while (performance.now() < until) {
    const now = await overviewOf(target).catch(() => undefined);
    const isOver = now !== undefined && isWell(now) && (refusal ?? isDone(now, day, before));
    if (isOver) return { now, afterMs: Math.round(performance.now() - atMs) };
    await sleep(POLL_MS);
  }
  return undefined;
}

const isWell = ({ members }: Overview): boolean =>
  members.some(({ leads, role }) => leads && role === "primary") &&
  members.every(
    ({ leads, agent, state, replicationState }) =>
      agent.answers && state === "running" && (leads || replicationState === "streaming"),
  );

function isDone(now: Overview, { kind }: GameDay, before: Stage["before"]): boolean {
  const leader = now.members.find(({ leads }) => leads);
  if (now.members.length < before.overview.members.length || leader === undefined) return false;
  return hasHappened(kind, leadingOf(before.leader), leadingOf(leader));
}

const leadingOf = ({ name, agent }: MemberOverview): Leading => ({
  name,
  startedAt: agent.answers ? agent.node.server.startedAt : undefined,
});

/** The incident that began with it, once it is over and nothing in it is open; else the last that was told. */
async function incidentOf({ target, day }: Watched): Promise<Incident | undefined> {
  const until = performance.now() + INCIDENT_LIMIT_MS;
  const since = (day.begunAt ?? day.announcedAt) - CLOCKS_MS;
  let found: Incident | undefined;
  while (performance.now() < until) {
    const all = await incidentsAt(target).catch(() => []);
    found = all.find((one) => one.startedAt >= since && isOnPurpose(one)) ?? found;
    if (found?.endedAt !== undefined && !found.checklist.some(isUndone)) return found;
    await sleep(POLL_MS);
  }
  return found;
}

async function incidentsAt(target: Target): Promise<readonly Incident[]> {
  const { members, member } = await overviewOf(target);
  const apiUrl = members.find(({ name }) => name === member)?.apiUrl ?? "";
  const url = `${apiUrl}/understudy/incidents`;
  const answer = await call(target, { method: "GET", url, timeoutMs: TELL_LIMIT_MS });
  return (listIn(answer)?.items ?? []) as readonly Incident[];
}

/** What the writes of our own met, and the last one that was answered before the longest pause. */
async function ownProbe({ target, plan, prober }: Watched) {
  const by = `the drill's own probe, on ${prober.name}`;
  const url = `${prober.apiUrl}/understudy/game-days/probe`;
  const seen = await untilItWrites(target, url, Math.min(plan.maxPauseMs, plan.settleMs));
  if (!isObject(seen) || !(Number(seen["writes"]) > 1)) {
    const why = isObject(seen)
      ? (textIn(seen["why"]) ?? "no write came through")
      : "it did not run";
    return { pause: { by, how: why }, before: undefined };
  }
  const ms = Number(seen["longestPauseMs"]);
  const how = `a message into the WAL ten times a second, ${String(seen["writes"])} written`;
  return { pause: { by, ms, how }, before: textIn(seen["before"]) };
}

/**
 * A pause that goes on while everybody is well again has not been seen to its end: it is waited for until it is longer
 * than it may be.
 */
async function untilItWrites(target: Target, url: string, mayTakeMs: number): Promise<unknown> {
  const until = performance.now() + Math.max(WRITES_LIMIT_MS, mayTakeMs);
  for (;;) {
    const answer = await call(target, { method: "GET", url }).catch(() => undefined);
    const seen = answer?.status === 200 ? plainJson(answer.body) : undefined;
    const isAtIt = isObject(seen) && Number(seen["writes"]) > 0 && Number(seen["sinceMs"]) < 1_000;
    const hasEnded = isObject(seen) && seen["runs"] === false;
    if (isAtIt || hasEnded || performance.now() >= until) return seen;
    await sleep(POLL_MS);
  }
}

/** What nodes measure all the time, where their owner has it on. */
async function waysOf({ target, day }: Watched): Promise<readonly Pause[]> {
  const since = (day.begunAt ?? day.announcedAt) - CLOCKS_MS;
  const now = Date.now();
  const ways = await availabilityOf(target, now).catch(() => []);
  return ways.map(({ path, by, outages }) => {
    const met = outages.filter(({ to }) => (to ?? now) >= since);
    const longest = Math.max(0, ...met.map(({ from, to }) => (to ?? now) - from));
    const how = met.length === 0 ? "no probe write failed or was slow" : "probe writes";
    return { by: `${by} over ${path}`, ms: longest, how };
  });
}

function incidentPause(incident: Incident | undefined): readonly Pause[] {
  if (incident === undefined) return [];
  const { id, startedAt, writableAt } = incident;
  const how = "from the events of the members";
  return [{ by: id, how, ...(writableAt === undefined ? {} : { ms: writableAt - startedAt }) }];
}

/** Whether the primary went on with the timeline of before, and where that ended; undefined when nobody can say. */
async function historyOf(
  { target, before }: Watched,
  now: Overview | undefined,
): Promise<History | undefined> {
  const { timeline } = before.overview.cluster;
  if (timeline === undefined || now?.cluster.timeline === undefined) return undefined;
  if (now.cluster.timeline === timeline) return { kind: "same" };
  const apiUrl = now.members.find(({ name }) => name === now.member)?.apiUrl ?? "";
  const answer = await call(target, { method: "GET", url: `${apiUrl}/history` });
  const rows: unknown = parseJson(answer.body);
  const row = Array.isArray(rows)
    ? rows.find((one): one is readonly unknown[] => Array.isArray(one) && one[0] === timeline)
    : undefined;
  const at = row?.[1];
  return typeof at === "number" || typeof at === "string"
    ? { kind: "new", from: printLsn(lsn(at)) }
    : undefined;
}
