// Has what a game day was to bring about happened? A member tells what it said last until its next look.
import type { GameDayKind } from "./game-day.ts";

/** Who leads, and since when its server runs; undefined while that is down. */
export interface Leading {
  readonly name: string;
  readonly startedAt: string | undefined;
}

/** Another member leads, or after a crash the same one with a server that was started since. */
export const hasHappened = (kind: GameDayKind, before: Leading, now: Leading): boolean =>
  now.name !== before.name ||
  (kind === "crash" && now.startedAt !== undefined && now.startedAt !== before.startedAt);
