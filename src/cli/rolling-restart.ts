// How are all servers restarted without an outage? Standbys one after another, the leader at the end.
//
// Nothing is kept beside the cluster: every step is a restart like any other, and what is left to do is read from the
// servers themselves. So an interrupt leaves a healthy cluster, and the same command goes on where it ended.
import { setTimeout as sleep } from "node:timers/promises";
import { printSpan } from "../model/amounts.ts";
import { parseRfc3339 } from "../model/wire/rfc3339.ts";
import { CliFailure, EXIT, failureOf } from "./exit.ts";
import { type MemberOverview, type Overview, overviewOf } from "./overview.ts";
import { change } from "./rest.ts";
import type { Shared } from "./shared.ts";
import type { Target } from "./target.ts";
import { agree, print, say } from "./terminal.ts";

const STEP_LIMIT_MS = 600_000;
const POLL_MS = 500;
const SETTLE_LIMIT_MS = 30_000;
/** A restarted primary may lower what its standbys were held to: they take it in a second round. */
const MOST_ROUNDS = 2;

interface RollingFlags extends Shared {
  readonly pending?: boolean;
  readonly timeout?: string;
  readonly switchover?: boolean;
  readonly since?: string;
}

export async function restartAll(target: Target, flags: RollingFlags): Promise<void> {
  const first = await overviewOf(target);
  const since = flags.since ?? first.asOf;
  const sinceMs = parseRfc3339(since);
  if (sinceMs === undefined) {
    const next = "write it like 2026-11-30T04:00:00+00:00";
    throw new CliFailure(EXIT.usage, `--since ${since} is not a time`, "it needs its zone", next);
  }
  const isLeft = (member: MemberOverview): boolean =>
    flags.pending === true ? waits(member) : startedAt(member) < sinceMs;
  const todo = inOrder(first).filter(isLeft);
  if (todo.length === 0) {
    print("no member needs a restart: nothing was done");
    return;
  }
  say(planOf(todo, flags.switchover === true));
  await agree(`Restart ${todo.map(({ name }) => name).join(", ")}?`, flags.yes === true);
  const run: Run = { target, flags, since, isLeft };
  const done: string[] = [];
  for (let round = 0; round < MOST_ROUNDS; round++) {
    done.push(...(await oneRound(run, done)));
    if (!first.members.some(waits) || !(await somebodyWaits(run, first.cluster.ttlMs))) break;
    run.isLeft = waits;
  }
  print(`restarted: ${[...new Set(done)].join(", ")}`);
}

const waits = ({ pendingRestart }: MemberOverview): boolean => pendingRestart.length > 0;

/**
 * What a standby was held to shows only when it has replayed that its primary has less now, when its agent has looked at
 * it, and when the member that we ask has read the store again: each at least twice in a ttl.
 */
async function somebodyWaits({ target }: Run, ttlMs: number): Promise<boolean> {
  const until = Date.now() + ttlMs;
  // By then nobody shows any more what its own restart has settled.
  await sleep(ttlMs / 2);
  for (;;) {
    if ((await overviewOf(target)).members.some(waits)) return true;
    if (Date.now() >= until) return false;
    await sleep(POLL_MS);
  }
}

interface Run {
  readonly target: Target;
  readonly flags: RollingFlags;
  readonly since: string;
  isLeft: (member: MemberOverview) => boolean;
}

/** Looks anew before each member: the leader may be another one by then. */
async function oneRound(run: Run, before: readonly string[]): Promise<readonly string[]> {
  const done: string[] = [];
  for (;;) {
    const now = await overviewOf(run.target);
    const next = inOrder(now).find((member) => run.isLeft(member) && !done.includes(member.name));
    if (next === undefined) return done;
    try {
      await restartNext(run, await untilAllWell(run), next);
    } catch (error) {
      throw stopped(error, { run, member: next.name, done: [...before, ...done] });
    }
    done.push(next.name);
  }
}

/** Standbys whose primary was just restarted need a moment to stream again; more than that is trouble. */
async function untilAllWell({ target }: Run): Promise<Overview> {
  const until = Date.now() + SETTLE_LIMIT_MS;
  for (;;) {
    const now = await overviewOf(target);
    const trouble = troubleIn(now);
    if (trouble === undefined) return now;
    if (Date.now() >= until) throw trouble;
    await sleep(POLL_MS);
  }
}

/** Standbys by name, the leader last. */
const inOrder = ({ members }: Overview): readonly MemberOverview[] =>
  members.toSorted((a, b) => Number(a.leads) - Number(b.leads) || (a.name < b.name ? -1 : 1));

/** Never one down while another is: that would be the outage that this command is to spare. */
function troubleIn({ members, cluster, sentence }: Overview): CliFailure | undefined {
  if (!members.some(({ leads }) => leads)) {
    return new CliFailure(EXIT.critical, "nobody leads the cluster now", sentence);
  }
  if (cluster.paused) {
    const next = "understudy resume, then again";
    return new CliFailure(EXIT.precondition, "the cluster is paused", "nothing fails over", next);
  }
  const trouble = members.find((member) => !isBack(member));
  if (trouble === undefined) return undefined;
  const why = trouble.agent.answers
    ? `${trouble.name} is ${trouble.leads ? trouble.state : (trouble.replicationState ?? trouble.state)}`
    : `${trouble.name}: its agent does not answer`;
  return new CliFailure(EXIT.precondition, "a member is not well", why);
}

const isBack = (member: MemberOverview): boolean =>
  member.agent.answers &&
  member.state === "running" &&
  (member.leads || member.replicationState === "streaming");

async function restartNext(run: Run, now: Overview, member: MemberOverview): Promise<void> {
  const begun = Date.now();
  const hasHeir = now.members.some(({ leads, tags }) => !leads && tags["nofailover"] !== true);
  if (member.leads && run.flags.switchover === true && hasHeir) await handOver(run, member);
  else await restart(run, member);
  await untilBack(run, member);
  print(`${member.name}: restarted, well again after ${printSpan(Date.now() - begun)}`);
}

async function restart({ target, flags }: Run, { name, apiUrl }: MemberOverview): Promise<void> {
  say(`${name}: restarting`);
  const body = flags.timeout === undefined ? {} : { timeout: flags.timeout };
  const url = `${apiUrl}/restart`;
  await change(target, { method: "POST", url, body, timeoutMs: STEP_LIMIT_MS });
}

/** The old leader's server is stopped and started as a standby: that is its restart. */
async function handOver({ target }: Run, { name, apiUrl }: MemberOverview): Promise<void> {
  say(`${name}: handing the leadership over`);
  const url = `${apiUrl}/switchover`;
  const body = { leader: name };
  const answer = await change(target, { method: "POST", url, body, timeoutMs: STEP_LIMIT_MS });
  say(`${name}: ${answer.body}`);
}

/** Another server than before, and in its place again. */
async function untilBack({ target }: Run, before: MemberOverview): Promise<void> {
  const until = Date.now() + STEP_LIMIT_MS;
  while (Date.now() < until) {
    const now = await overviewOf(target).catch(() => undefined);
    const member = now?.members.find(({ name }) => name === before.name);
    if (member !== undefined && isBack(member) && startedAt(member) > startedAt(before)) return;
    await sleep(POLL_MS);
  }
  const why = `it is not back after ${printSpan(STEP_LIMIT_MS)}`;
  throw new CliFailure(EXIT.timedOut, `${before.name} is not well yet`, why);
}

/** Wall-clock milliseconds of the server's start; a server that says nothing has not been started for us. */
function startedAt({ agent }: MemberOverview): number {
  const text = agent.answers ? agent.node.server.startedAt : undefined;
  return (text === undefined ? undefined : parseRfc3339(text)) ?? 0;
}

function planOf(todo: readonly MemberOverview[], switchover: boolean): string {
  const leaders = switchover
    ? "the leader: by a switchover, it comes back as a standby"
    : "the leader: writes pause until it is back";
  const steps = todo.map(({ name, leads, pendingRestart }, index) => {
    const what = leads ? leaders : "a standby: until it streams again";
    const why = pendingRestart.length === 0 ? "" : ` (${pendingRestart.join(", ")})`;
    return ` ${index + 1} ${name}  ${what}${why}`;
  });
  return ["plan", ...steps].join("\n");
}

interface Stop {
  readonly run: Run;
  readonly member: string;
  readonly done: readonly string[];
}

function stopped(error: unknown, { run, member, done }: Stop): CliFailure {
  const { exit, lines } = failureOf(error);
  const sofar = done.length === 0 ? "nothing was restarted" : `restarted: ${done.join(", ")}`;
  const again = run.flags.pending === true ? "--pending" : `--since ${run.since}`;
  return new CliFailure(
    done.length === 0 ? exit : EXIT.partial,
    `the rolling restart stops before ${member} is done (${sofar})`,
    lines.join(": "),
    `put it right, then: understudy restart --rolling ${again}`,
  );
}
