// Who holds the wheel during a pause, why, and until when? A pause ends by itself where it says so.
import { printSpan } from "./amounts.ts";

/** Beside Patroni's bare `pause: true`, whose tools write none of it. Times are wall-clock milliseconds. */
export interface PauseNote {
  readonly by: string | undefined;
  readonly reason: string | undefined;
  readonly sinceMs: number | undefined;
  readonly untilMs: number | undefined;
}

export const NO_PAUSE_NOTE: PauseNote = {
  by: undefined,
  reason: undefined,
  sinceMs: undefined,
  untilMs: undefined,
};

interface Pausable {
  readonly paused: boolean;
  readonly pauseNote: PauseNote;
}

/**
 * Whether the pause holds at this moment of a wall clock. Hosts' clocks differ, so members may see its end a little
 * apart; that is no more than members that read the word to resume one after another.
 */
export const isPausedAt = ({ paused, pauseNote: { untilMs } }: Pausable, wallMs: number): boolean =>
  paused && (untilMs === undefined || wallMs < untilMs);

/** The configuration as it holds at this moment: a pause whose time is over is none. */
export const heldAt = <C extends Pausable>(config: C, wallMs: number): C =>
  config.paused && !isPausedAt(config, wallMs) ? { ...config, paused: false } : config;

/** One line for people: who, why, since when and for how much longer. */
export function pauseInWords(note: PauseNote, wallMs: number): string {
  const { by, reason, sinceMs, untilMs } = note;
  const whom = by === undefined ? "" : ` by ${by}`;
  const since = sinceMs === undefined ? "" : ` for ${printSpan(wallMs - sinceMs)}`;
  const left =
    untilMs === undefined
      ? "until it is resumed"
      : `it ends by itself in ${printSpan(untilMs - wallMs)}`;
  const why = reason === undefined ? "" : ` (${reason})`;
  return `the cluster is paused${whom}${since}, ${left}: no failover${why}`;
}
