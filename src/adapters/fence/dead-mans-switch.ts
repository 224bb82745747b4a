// Until when may the server run, and is that moment over? The clock decides at the moment of use; timers only wake.
import { AppError } from "../../model/error.ts";
import { PARTING_MS } from "../../model/lease.ts";
import { between, type Instant, type Ms } from "../../model/time.ts";

/** Also looked at this often, in case the precise timer slept through a suspend or came late. */
const LOOK_EVERY_MS: Ms = 250;

export interface Armed {
  readonly term: number;
  readonly until: Instant;
}

export interface SwitchOptions {
  readonly now: () => Instant;
  /** The deadline is near: the server should stop by itself now. Called once for each arming that comes so far. */
  readonly onPart: (armed: Armed) => void;
  /** The deadline has passed. Called once for each arming that ran out. */
  readonly onFire: (armed: Armed) => void;
  /** The deadline stands and has not passed: time to feed the watchdog. */
  readonly onAlive: () => void;
}

export class DeadMansSwitch {
  readonly #options: SwitchOptions;
  #armed: Armed | undefined;
  #timer: NodeJS.Timeout | undefined;
  #partTimer: NodeJS.Timeout | undefined;
  #hasParted = false;
  #interval: NodeJS.Timeout | undefined;
  #isFiring = false;

  constructor(options: SwitchOptions) {
    this.#options = options;
  }

  get armed(): Armed | undefined {
    return this.#armed;
  }

  /** The deadline has passed and the server is not yet proven down. */
  get isFiring(): boolean {
    return this.#isFiring;
  }

  arm(next: Armed): void {
    this.look();
    const attempt = `arming the fence for term ${next.term}`;
    if (this.#isFiring) {
      throw new AppError("FENCE_UNARMED", attempt, "the deadline has passed, the server is ending");
    }
    if (this.#armed !== undefined && next.term < this.#armed.term) {
      throw new AppError("FENCE_UNARMED", attempt, `it is armed for term ${this.#armed.term}`);
    }
    const left = between(this.#options.now(), next.until);
    if (!(left > 0)) throw new AppError("FENCE_UNARMED", attempt, "that deadline is over already");
    this.#armed = next;
    this.#hasParted = false;
    this.#options.onAlive();
    this.#stopTimers();
    this.#timer = setTimeout(() => this.look(), Math.ceil(left));
    this.#partTimer = setTimeout(() => this.look(), Math.max(0, Math.ceil(left - PARTING_MS)));
    this.#interval ??= setInterval(() => this.look(), LOOK_EVERY_MS);
  }

  disarm(): void {
    this.look();
    if (this.#isFiring) {
      throw new AppError("FENCE_UNARMED", "disarming the fence", "the deadline has passed");
    }
    this.#clear();
  }

  /** The server that the deadline ended is proven down: the switch may be armed again. */
  settle(): void {
    this.#isFiring = false;
    this.#clear();
  }

  look(): void {
    const armed = this.#armed;
    if (armed === undefined || this.#isFiring) return;
    const left = between(this.#options.now(), armed.until);
    if (left > 0) {
      this.#options.onAlive();
      if (left > PARTING_MS || this.#hasParted) return;
      this.#hasParted = true;
      this.#options.onPart(armed);
      return;
    }
    this.#isFiring = true;
    this.#options.onFire(armed);
  }

  #stopTimers(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#partTimer);
  }

  #clear(): void {
    this.#armed = undefined;
    this.#stopTimers();
    clearInterval(this.#interval);
    this.#interval = undefined;
  }
}
