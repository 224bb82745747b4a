// Which lines do readers of Patroni's log look for, and when are they true? (`log.format: patroni`)
import { overtakers } from "../controllers/ha/plans/eligibility.ts";
import { clusterOf, sqlOf } from "../controllers/ha/plans/standing.ts";
import type { HaWorld } from "../controllers/ha/world.ts";
import type { Lsn } from "../model/lsn.ts";
import type { AnyReason } from "../model/reason.ts";
import type { LastLook } from "../node/node.ts";
import type { Log } from "../ports/log.ts";

export interface PatroniText {
  readonly level: "info" | "warn";
  readonly text: string;
}

/**
 * What Patroni says of such a look; nothing where it has no text that anybody looks for. `positionBefore` is where the
 * server was at the look before.
 */
export function patroniTexts(
  w: HaWorld,
  because: AnyReason,
  positionBefore?: Lsn,
): readonly PatroniText[] {
  const info = (text: string): readonly PatroniText[] => [{ level: "info", text }];
  const { name } = w.self;
  switch (because) {
    case "leading":
      return info(`no action. I am (${name}), the leader with the lock`);
    case "following": {
      const leader = clusterOf(w)?.leader?.name ?? "";
      return info(`no action. I am (${name}), a secondary, and following a leader (${leader})`);
    }
    case "race_not_allowed":
      return info("following a different leader because I am not allowed to promote");
    case "race_behind":
      return overtakers(w).flatMap((by) => info(overtaken(w, by)));
    case "race_waiting_for_hold":
    case "race_peer_is_primary":
      return hasMovedFrom(w, positionBefore) ? info(MOVED) : [];
    case "sync_waiting":
      return w.config.synchronousModeStrict ? [NO_SYNC] : [];
    default:
      return [];
  }
}

/** The key has gone, and WAL still comes: the primary lives without its agent. */
const MOVED = "wal position moved since last heart beat loop";

function hasMovedFrom(w: HaWorld, before: Lsn | undefined): boolean {
  const now = sqlOf(w)?.position;
  return now !== undefined && before !== undefined && now > before;
}

const NO_SYNC: PatroniText = {
  level: "warn",
  text: "No active replication connections from Patroni members and synchronous_mode_strict is requested",
};

function overtaken(w: HaWorld, { name, priority }: ReturnType<typeof overtakers>[number]): string {
  if (priority === undefined) return `Wal position of ${name} is ahead of my wal position`;
  const own = w.self.tags.failoverPriority;
  return `${name} has equally tolerable WAL position and priority ${priority}, while this node has priority ${own}`;
}

/** Patroni repeats its lines at every look; here each is written when it becomes true. */
export class PatroniTexts {
  readonly #log: Log;
  #told: readonly string[] = [];
  #position: Lsn | undefined;

  constructor(log: Log) {
    this.#log = log;
  }

  looked({ world, decision }: LastLook): void {
    const texts = patroniTexts(world, decision.because, this.#position);
    this.#position = sqlOf(world)?.position;
    for (const { level, text } of texts) if (!this.#told.includes(text)) this.#log[level](text);
    this.#told = texts.map(({ text }) => text);
  }
}
