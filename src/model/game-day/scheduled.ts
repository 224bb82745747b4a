// What does a file say of a game day that is made by itself? (the typed name is the section's `cluster`)
import type { Schedule } from "../schedule.ts";
import type { Ms } from "../time.ts";
import type { GameDayKind } from "./game-day.ts";

export interface ScheduledGameDay {
  readonly kind: GameDayKind;
  readonly schedule: Schedule & { readonly windowMs: Ms };
  readonly maxPauseMs: Ms;
  readonly maxLagBytes: number;
  readonly countdownMs: Ms;
}

/** The member's probe writes for as long, and no record is forgotten before it begins. */
export const LONGEST_COUNTDOWN_MS: Ms = 5 * 60_000;

export const USUAL_LAG_BYTES = 1024 * 1024;

/** Its name in the schedule, beside those of backups. */
export const jobNameOf = ({ kind }: ScheduledGameDay): string => `game-day-${kind}`;

export const isGameDayJob = (job: string): boolean => job.startsWith("game-day-");
