// How is a failover made on purpose? Announced, waited for, begun, and watched until everybody is well again.
//
// Until it begins nothing has changed anywhere, and whoever wants to can end it. From then on it is a failure like any
// other: the cluster ends it by itself, whether this command lives or not.
import { setTimeout as sleep } from "node:timers/promises";
import { type GameDay, gameDayId } from "../model/game-day/game-day.ts";
import { isMet, type Precondition } from "../model/game-day/preconditions.ts";
import { CliFailure, EXIT, failureOf } from "./exit.ts";
import { reportOn } from "./game-day-after.ts";
import { gameDaysAt, tellAll } from "./game-day-records.ts";
import { type Situation, type Stage, situationOf } from "./game-day-situation.ts";
import type { MemberOverview } from "./overview.ts";
import { call, change } from "./rest.ts";
import type { Target } from "./target.ts";
import { say } from "./terminal.ts";

const SECOND_MS = 1_000;
const HANDOVER_LIMIT_MS = 90_000;
/** Longer than a game day can take once it has begun; the agent ends its writes by itself then. */
const PROBE_MS = 5 * 60_000;

/** A failure with every condition that is not met; nothing when all are. */
export function refuseUnmet(preconditions: readonly Precondition[]): void {
  const unmet = preconditions.filter((one) => !isMet(one));
  if (unmet.length === 0) return;
  throw new CliFailure(
    EXIT.precondition,
    "a condition for a failover on purpose is not met: nothing was done",
    ...unmet.map(({ what, figure }) => `${what}: ${figure}`),
  );
}

/** Tells every member. Throws when the primary does not take it: then nothing has changed. */
export async function announceGameDay({ target, plan, before, momentMs }: Stage): Promise<GameDay> {
  const announced: GameDay = {
    id: gameDayId(before.asOf),
    cluster: target.scope,
    kind: plan.kind,
    state: "announced",
    by: plan.by,
    ...(momentMs === undefined ? {} : { momentMs }),
    from: before.leader.name,
    ...(plan.wanted === undefined ? {} : { wanted: plan.wanted }),
    announcedAt: before.asOf,
    preconditions: before.preconditions,
  };
  await tellAll(target, announced);
  return announced;
}

/** Answers the record with its report. Throws when it did not begin. */
export async function runGameDay(stage: Stage, announced: GameDay): Promise<GameDay> {
  const { target, plan, before } = stage;
  const prober = proberOf(before, plan.wanted);
  const interrupt = listenForInterrupt(stage);
  try {
    await startProbe(target, prober, plan.countdownMs + PROBE_MS);
    const [begun, last] = await untilBegun(stage, announced, interrupt.signal);
    interrupt.pass();
    const atMs = performance.now();
    const refusal = await carryOut(stage, begun, last);
    const report = await reportOn({ ...stage, before: last, day: begun, prober, atMs, refusal });
    const done: GameDay = { ...begun, state: "done", report };
    await tellAll(target, done).catch((error: unknown) =>
      say(`! the report could not be kept: ${failureOf(error).lines.join(": ")}`),
    );
    return done;
  } finally {
    interrupt.close();
    await endProbe(target, prober);
  }
}

/** Through the countdown, judged once more, and told to the primary: what that takes can not be aborted any more. */
async function untilBegun(
  { target, plan, tell, before }: Stage,
  announced: GameDay,
  signal: AbortSignal,
): Promise<readonly [GameDay, Situation]> {
  try {
    tell(`${announced.id} begins in ${plan.countdownMs / SECOND_MS} s`);
    tell("Ctrl-C ends it before, and from anywhere: understudy drill failover --abort");
    const end = performance.now() + plan.countdownMs;
    while (performance.now() < end) {
      await sleep(Math.min(SECOND_MS, plan.countdownMs), undefined, { signal });
      await refuseAborted(target, before.leader, announced.id);
    }
    const last = await situationOf(target, plan);
    refuseUnmet(last.preconditions);
    if (last.leader.name !== announced.from)
      throw new CliFailure(EXIT.precondition, `${last.leader.name} leads by now: nothing was done`);
    signal.throwIfAborted();
    const begun: GameDay = { ...announced, state: "begun", begunAt: last.asOf };
    await tellAll(target, begun);
    return [begun, last];
  } catch (error) {
    const failure = signal.aborted
      ? new CliFailure(EXIT.interrupted, "aborted: nothing was done")
      : failureOf(error);
    const why = failure.lines.join("; ");
    await tellAll(target, { ...announced, state: "aborted", why }).catch(() => undefined);
    throw failure;
  }
}

async function refuseAborted(target: Target, { apiUrl }: MemberOverview, id: string) {
  const days = await gameDaysAt(target, apiUrl);
  if (days.find((day) => day.id === id)?.state !== "aborted") return;
  throw new CliFailure(EXIT.interrupted, `${id} was aborted: nothing was done`);
}

/** Answers why the members did not do it; undefined when they did. */
async function carryOut({ target, plan, tell }: Stage, day: GameDay, { leader }: Situation) {
  tell(plan.kind === "crash" ? `the server of ${day.from} is ended` : `${day.from} hands over`);
  try {
    await (plan.kind === "crash" ? crash(target, day, leader) : handOver(target, day, leader));
    return undefined;
  } catch (error) {
    return failureOf(error).lines.join(": ");
  }
}

function handOver(target: Target, { from, wanted }: GameDay, { apiUrl }: MemberOverview) {
  const body = { leader: from, candidate: wanted };
  const url = `${apiUrl}/switchover`;
  return change(target, { method: "POST", url, body, timeoutMs: HANDOVER_LIMIT_MS });
}

/** Names the very server that was looked at, so that no other is ended. */
function crash(target: Target, { id, cluster }: GameDay, { apiUrl, agent }: MemberOverview) {
  const node = agent.answers ? agent.node : undefined;
  const body = {
    id,
    cluster,
    term: node?.lease?.term,
    server_started_at: node?.server.startedAt,
  };
  return change(target, { method: "POST", url: `${apiUrl}/understudy/game-days/crash`, body });
}

/** A standby that is not to be the next primary, where there is one. */
function proberOf({ overview }: Situation, wanted: string | undefined): MemberOverview {
  const standbys = overview.members.filter(({ leads }) => !leads);
  const found = standbys.find(({ name }) => name !== wanted) ?? standbys[0];
  if (found !== undefined) return found;
  throw new CliFailure(EXIT.precondition, "there is no standby");
}

/** Without it others measure still: the report says what is missing. */
const startProbe = (target: Target, { apiUrl }: MemberOverview, forMs: number) =>
  change(target, {
    method: "POST",
    url: `${apiUrl}/understudy/game-days/probe`,
    body: { for_ms: forMs },
  }).catch(() => undefined);

const endProbe = (target: Target, { apiUrl }: MemberOverview) =>
  call(target, { method: "DELETE", url: `${apiUrl}/understudy/game-days/probe` }).catch(
    () => undefined,
  );

/** The first Ctrl-C, or the end of the agent whose schedule it is, ends what has not begun; afterwards it only says so, and the next one leaves. */
function listenForInterrupt({ tell }: Stage) {
  const stopping = new AbortController();
  let hasBegun = false;
  let isLeaving = false;
  const hear = (): void => {
    if (!hasBegun) {
      stopping.abort();
      return;
    }
    if (isLeaving) process.exit(EXIT.interrupted);
    isLeaving = true;
    tell("it can not be taken back; the report follows. Ctrl-C once more leaves without it");
  };
  process.on("SIGINT", hear);
  process.on("SIGTERM", hear);
  return {
    signal: stopping.signal,
    pass: () => {
      hasBegun = true;
      // It came while the primary was told.
      if (stopping.signal.aborted) hear();
    },
    close: () => {
      process.off("SIGINT", hear);
      process.off("SIGTERM", hear);
    },
  };
}
