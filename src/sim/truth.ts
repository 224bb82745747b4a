// What really happened, told to the checkers and the transcript. No simulated process can hear it.
import type { Write } from "../ports/store.ts";
import type { HiddenBranch } from "./wal.ts";

export type Truth =
  | { readonly kind: "writable"; readonly host: string; readonly on: boolean; readonly why: string }
  | {
      readonly kind: "acknowledged";
      readonly host: string;
      readonly row: number;
      readonly branch: HiddenBranch;
      readonly lsn: number;
      readonly durableAt: number;
    }
  | {
      readonly kind: "promotion-begun";
      readonly host: string;
      readonly term: number;
      readonly armed: Armed | undefined;
      readonly hostNow: number;
    }
  | {
      readonly kind: "promoted";
      readonly host: string;
      readonly term: number;
      readonly branch: HiddenBranch;
      readonly asked: number;
    }
  | {
      readonly kind: "start-as-primary";
      readonly host: string;
      readonly armed: Armed | undefined;
      readonly hostNow: number;
      readonly byStranger: boolean;
    }
  | {
      readonly kind: "server-start";
      readonly host: string;
      /** A rewind or clone of these data was begun and never finished. */
      readonly isHalfRebuilt: boolean;
    }
  /** An agent's loop begins a look at the world. */
  | { readonly kind: "look"; readonly host: string }
  | { readonly kind: "renewal-sent"; readonly host: string; readonly term: number }
  /** The store's yes to an acquire or renewal has arrived: until when it lets the holder believe, on its clock. */
  | {
      /** The asker's own clock: as long as it may count on the word of `to`. */
      readonly kind: "promised";
      readonly host: string;
      readonly term: number;
      readonly to: string;
      readonly until: number;
    }
  | {
      readonly kind: "lease-confirmed";
      readonly host: string;
      readonly term: number;
      readonly until: number;
    }
  | {
      readonly kind: "fence-armed";
      readonly host: string;
      readonly term: number;
      readonly until: number;
    }
  /** From here on this host's server has no deadline (R30). */
  | { readonly kind: "fence-unguarded"; readonly host: string; readonly term: number }
  /** The store has applied a transaction of this host, answered or not. */
  | { readonly kind: "stored"; readonly host: string; readonly writes: readonly Write[] }
  | {
      readonly kind: "fence-fired";
      readonly host: string;
      /** It asks the server to stop, shortly before the deadline. */
      readonly isParting: boolean;
      readonly term: number;
      readonly serverRan: boolean;
    }
  | {
      readonly kind: "wrong-rows";
      readonly host: string;
      readonly upstream: string;
      readonly timeline: number;
    }
  | {
      readonly kind: "data-removed";
      readonly host: string;
      readonly systemId: string;
      readonly hadReplacement: boolean;
    }
  | {
      readonly kind: "slot-dropped";
      readonly host: string;
      readonly slot: string;
      readonly isOurs: boolean;
    }
  /** Copies of logical slots lie in a directory whose server is down; its next start reads them. */
  | { readonly kind: "copies-placed"; readonly host: string }
  /** A reader was sent what comes after `to`, although it has only what comes before `from`. */
  | {
      readonly kind: "slot-ahead";
      readonly host: string;
      readonly slot: string;
      readonly from: number;
      readonly to: number;
    }
  | {
      readonly kind: "decision";
      readonly host: string;
      readonly reason: string;
      readonly step: string | undefined;
      readonly fields: Readonly<Record<string, unknown>>;
    }
  /** A router sends its writers to this member from now on, or to nobody. */
  | {
      readonly kind: "routed";
      readonly host: string;
      readonly term: number;
      readonly to: string | undefined;
    }
  /** The store has shown a router who leads. */
  | {
      readonly kind: "shown";
      readonly host: string;
      readonly term: number;
      readonly leader: string;
    }
  | { readonly kind: "clients-paused"; readonly host: string; readonly on: boolean }
  | { readonly kind: "fault"; readonly text: string }
  | { readonly kind: "event"; readonly host: string; readonly text: string };

export interface Armed {
  readonly term: number;
  readonly until: number;
}

export type TruthListener = (truth: Truth, at: number) => void;

/** One place where every simulated part tells what it did. */
export class TruthBoard {
  readonly #listeners: TruthListener[] = [];
  readonly #now: () => number;
  constructor(now: () => number) {
    this.#now = now;
  }
  tell(truth: Truth): void {
    for (const listener of this.#listeners) listener(truth, this.#now());
  }
  listen(listener: TruthListener): void {
    this.#listeners.push(listener);
  }
}
