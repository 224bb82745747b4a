// How is a game day made that the node's file asks for? As by hand, but nobody types a name: the file has it. What may
// not be is kept as skipped, with its reason.
import { printSpan } from "../model/amounts.ts";
import { type GameDay, gameDayId, KINDS, NOBODY } from "../model/game-day/game-day.ts";
import type { ScheduledGameDay } from "../model/game-day/scheduled.ts";
import { latestMoment } from "../model/schedule.ts";
import { parseRfc3339 } from "../model/wire/rfc3339.ts";
import { CliFailure, EXIT, failureOf } from "./exit.ts";
import { gameDaysOf, tellEverybody } from "./game-day-records.ts";
import { announceGameDay, refuseUnmet, runGameDay } from "./game-day-run.ts";
import { type Plan, type Situation, type Stage, situationOf } from "./game-day-situation.ts";
import { statusOf } from "./rest.ts";
import type { Target } from "./target.ts";

type Asked = Pick<Stage, "target" | "tell"> & { readonly plan: Plan };

/** Answers the record with its report. Throws when none was made; then a record says why. */
export async function runScheduled(
  asked: Asked,
  day: ScheduledGameDay,
  show: (before: Situation) => void,
): Promise<GameDay> {
  let before: Situation | undefined;
  let announced: readonly [Stage, GameDay];
  try {
    before = await situationOf(asked.target, asked.plan);
    show(before);
    const momentMs = await momentOf(asked.target, day, before);
    refuseUnmet(before.preconditions);
    const stage = { ...asked, before, momentMs };
    announced = [stage, await announceGameDay(stage)];
  } catch (error) {
    await keepSkipped(asked, { before, day, why: failureOf(error).lines.join("; ") });
    throw error;
  }
  return runGameDay(...announced);
}

/** What the file says of that kind. Throws when it says nothing. */
export function scheduledNamed({ gameDays, configFile }: Target, written: string) {
  const found = gameDays.find(({ kind }) => kind === written);
  if (found !== undefined) return found;
  const isKind = KINDS.some((kind) => kind === written);
  throw new CliFailure(
    isKind ? EXIT.noSuchThing : EXIT.usage,
    `no ${written} is scheduled`,
    isKind ? `${configFile} has no game_days.${written}` : `it is one of ${KINDS.join(", ")}`,
    "nothing was done",
  );
}

/**
 * The moment that it is made for, by the clock of the primary: that of this host may be wrong, and then it must not be
 * made out of its window, or twice.
 */
async function momentOf(
  target: Target,
  { kind, schedule }: ScheduledGameDay,
  { leader }: Situation,
): Promise<number> {
  const { asOf } = await statusOf(target, leader.apiUrl);
  const nowMs = parseRfc3339(asOf) ?? Date.now();
  const momentMs = latestMoment(schedule, nowMs);
  const lateMs = nowMs - momentMs;
  if (lateMs > schedule.windowMs)
    throw new CliFailure(
      EXIT.precondition,
      `by the clock of ${leader.name} it is ${printSpan(lateMs)} too late for it: nothing was done`,
      `${schedule.text}, and at most ${printSpan(schedule.windowMs)} later`,
    );
  const days = await gameDaysOf(target);
  const made = days.find(
    (day) => day.momentMs === momentMs && day.kind === kind && day.state !== "skipped",
  );
  if (made === undefined) return momentMs;
  const what = `${made.id} was made for this moment, it is ${made.state}`;
  throw new CliFailure(EXIT.precondition, what, "nothing was done");
}

interface Skipped {
  readonly before: Situation | undefined;
  readonly day: ScheduledGameDay;
  readonly why: string;
}

/** Whoever can be told keeps it; there may be nobody. */
async function keepSkipped({ target, plan }: Asked, { before, day, why }: Skipped): Promise<void> {
  const asOf = before?.asOf ?? Date.now();
  const record: GameDay = {
    id: gameDayId(asOf),
    cluster: target.scope,
    kind: day.kind,
    state: "skipped",
    by: plan.by,
    momentMs: latestMoment(day.schedule, asOf),
    why,
    from: before?.leader.name ?? NOBODY,
    announcedAt: asOf,
    preconditions: before?.preconditions ?? [],
  };
  await tellEverybody(target, record).catch(() => undefined);
}
