// What is the other site like? Asked in the background: a far or silent server must not slow the loop down.
import type { RemoteView } from "../controllers/ha/world.ts";
import { AppError } from "../model/error.ts";
import { known, unknown } from "../model/known.ts";
import { printSite, type RemoteSite, type StandbyCluster } from "../model/site.ts";
import { after, between, type Ms } from "../model/time.ts";
import type { Clock } from "../ports/clock.ts";
import type { Postgres } from "../ports/postgres.ts";

/** A look may cross an ocean a few times. */
const LOOK_LIMIT_MS: Ms = 3_000;
/** The loop waits this long for the answer, and else goes by the one before. */
const PATIENCE_MS: Ms = 200;
/** What was seen longer ago says nothing about now: nobody has asked meanwhile. */
const FRESH_MS: Ms = 10_000;

export class RemoteWatch {
  readonly #clock: Clock;
  readonly #postgres: Pick<Postgres, "lookAtSite">;
  #of: string | undefined;
  #view: RemoteView | undefined;
  #asking: Promise<void> | undefined;

  constructor(clock: Clock, postgres: Pick<Postgres, "lookAtSite">) {
    this.#clock = clock;
    this.#postgres = postgres;
  }

  async look(site: StandbyCluster): Promise<RemoteView> {
    const of = `${printSite(site)} ${site.slot ?? ""}`;
    if (of !== this.#of) this.#view = undefined;
    this.#of = of;
    this.#asking ??= this.#ask(site, of).finally(() => {
      this.#asking = undefined;
    });
    await this.#orPatience(this.#asking);
    const now = this.#clock.now();
    const view = this.#view;
    if (view !== undefined && between(view.seen.at, now) <= FRESH_MS) return view;
    return { seen: unknown("it has not answered yet", now), last: view?.last };
  }

  async #ask(site: StandbyCluster, of: string): Promise<void> {
    try {
      const seen = await this.#postgres.lookAtSite(site, LOOK_LIMIT_MS);
      const at = this.#clock.now();
      if (of === this.#of) this.#view = { seen: known(seen, at), last: { site: seen, at } };
    } catch (error) {
      const why = error instanceof AppError ? error.why : String(error);
      const seen = unknown<RemoteSite>(why, this.#clock.now());
      if (of === this.#of) this.#view = { seen, last: this.#view?.last };
    }
  }

  #orPatience(asking: Promise<void>): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#clock.wakeAt(after(this.#clock.now(), PATIENCE_MS), resolve);
      const answered = (): void => {
        timer.cancel();
        resolve();
      };
      void asking.then(answered);
    });
  }
}
