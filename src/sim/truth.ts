// What really happened, told to the checkers and the transcript. No simulated process can hear it.
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
      readonly kind: "fence-fired";
      readonly host: string;
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
      readonly kind: "decision";
      readonly host: string;
      readonly reason: string;
      readonly step: string | undefined;
      readonly fields: Readonly<Record<string, unknown>>;
    }
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
