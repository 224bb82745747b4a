// When shall failovers on purpose be made by themselves? (section `game_days`)
import { type GameDayKind, KINDS, USUAL_PAUSE_MS } from "./game-day/game-day.ts";
import {
  LONGEST_COUNTDOWN_MS,
  type ScheduledGameDay,
  USUAL_LAG_BYTES,
} from "./game-day/scheduled.ts";
import type { Schedule } from "./schedule.ts";
import type { Section } from "./settings-reader.ts";
import { readMoments } from "./settings-schedules.ts";
import type { Ms } from "./time.ts";
import { parseDuration } from "./wire/duration.ts";
import { lagLimit } from "./wire/rest-health.ts";

const MINUTE_MS: Ms = 60_000;
const HOUR_MS: Ms = 60 * MINUTE_MS;
const USUAL_WINDOW_MS: Ms = 30 * MINUTE_MS;
const USUAL_COUNTDOWN_MS: Ms = 2 * MINUTE_MS;
const LONGEST_PAUSE_MS: Ms = 10 * MINUTE_MS;
const LONGEST_WINDOW_MS: Ms = 12 * HOUR_MS;
/** The row of moments cannot be denser: a game day is an event, not a load. */
const SHORTEST_PERIOD_MS: Ms = HOUR_MS;

/** Undefined when the file has no `game_days` section: then none is made by itself. */
export function readGameDays(root: Section): readonly ScheduledGameDay[] | undefined {
  if (!root.has("game_days")) return undefined;
  const section = root.section("game_days");
  const scope = root.text("scope") ?? "";
  const word = section.required("cluster", `type ${scope}, the name of the cluster that is meant`);
  if (word !== "" && word !== scope)
    section.problem("cluster", `must be ${scope}, the name of this cluster, not "${word}"`);
  const days = section.names().flatMap((name) => readOne(section, name) ?? []);
  if (section.names().every((name) => name === "cluster"))
    root.problem("game_days", `says of none when: there are ${KINDS.join(" and ")}`);
  section.close();
  return days;
}

function readOne(parent: Section, name: string): ScheduledGameDay | undefined {
  if (name === "cluster") return undefined;
  const kind = KINDS.find((one) => one === name);
  if (kind === undefined) {
    parent.problem(name, `is no kind of game day: there are ${KINDS.join(" and ")}`);
    return undefined;
  }
  return readDay(parent, kind);
}

function readDay(parent: Section, kind: GameDayKind): ScheduledGameDay | undefined {
  const section = parent.section(kind);
  const moments = readMoments(parent, kind, section);
  const windowMs = windowIn(section, moments);
  const day = {
    kind,
    maxPauseMs: spanIn(section, "max_pause", {
      usual: USUAL_PAUSE_MS[kind],
      least: 1_000,
      most: LONGEST_PAUSE_MS,
    }),
    maxLagBytes: lagIn(section),
    countdownMs: spanIn(section, "countdown", {
      usual: USUAL_COUNTDOWN_MS,
      least: 5_000,
      most: LONGEST_COUNTDOWN_MS,
    }),
  };
  section.close();
  if (moments !== undefined && moments.periodMs < SHORTEST_PERIOD_MS)
    section.problem("every", "must be an hour or more: each one keeps clients waiting");
  return moments && { ...day, schedule: { ...moments, windowMs } };
}

/** It ends well before the next moment, so that two moments never run into each other. */
function windowIn(section: Section, moments: Schedule | undefined): Ms {
  const most = Math.min(LONGEST_WINDOW_MS, (moments?.periodMs ?? Infinity) / 2);
  const usual = Math.min(USUAL_WINDOW_MS, most);
  return spanIn(section, "window", { usual, least: MINUTE_MS, most });
}

interface SpanLimits {
  readonly usual: Ms;
  readonly least: Ms;
  readonly most: Ms;
}

function spanIn(section: Section, key: string, { usual, least, most }: SpanLimits): Ms {
  const text = section.text(key);
  if (text === undefined) return usual;
  const ms = parseDuration(text);
  if (ms !== undefined && ms >= least && ms <= most) return ms;
  section.problem(key, `must be a time from ${least / 1_000}s to ${most / 1_000}s, not "${text}"`);
  return usual;
}

function lagIn(section: Section): number {
  const text = section.text("max_lag");
  if (text === undefined) return USUAL_LAG_BYTES;
  const bytes = lagLimit(text);
  if (bytes !== undefined) return bytes;
  section.problem("max_lag", `must be bytes or an amount like 1MB, not "${text}"`);
  return USUAL_LAG_BYTES;
}
