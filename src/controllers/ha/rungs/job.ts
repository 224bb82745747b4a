// A long step is running: may it go on?
import { isValid } from "../../../model/lease.ts";
import { after } from "../../../model/time.ts";
import type { Job } from "../../controller.ts";
import { promotionLimitMs } from "../plans/promotion.ts";
import { followsSite } from "../plans/site.ts";
import { leads, readyLeader } from "../plans/standing.ts";
import type { HaStep } from "../steps.ts";
import type { HaWorld } from "../world.ts";
import type { Verdict } from "./rung.ts";

const GIVEN_UP: ReadonlySet<HaStep["kind"]> = new Set(["clone", "rewind", "start-standby"]);

/** A person wants a new copy and has said that what runs here shall be given up; never under a lease. */
function isInTheWay(w: HaWorld, { step, startedAt }: Job<HaStep>): boolean {
  const wish = w.requests.reinitialise;
  if (wish?.cancelsRunning !== true || w.lease.held !== undefined) return false;
  return GIVEN_UP.has(step.kind) && startedAt < wish.at;
}

/** A standby that starts with nobody to follow gets this long before a leader that has appeared is worth a new start. */
const ALONE_MS = 5_000;

export function job(w: HaWorld): Verdict | undefined {
  if (w.job === undefined) return undefined;
  const { step, startedAt, progress } = w.job;
  const detail = progress === undefined ? step.kind : `${step.kind}: ${progress}`;
  if (w.job.cancelled) return { because: "job_running", detail: `${detail}, being cancelled` };
  if (isInTheWay(w, w.job)) {
    return {
      because: "job_running",
      detail: `${detail}, given up for a new copy`,
      cancelJob: true,
    };
  }
  switch (step.kind) {
    case "promote":
    case "start-primary": {
      // Both open the server to writes: without the lease of that very term they must not finish.
      if (!isValid(w.lease.held, w.now) || w.lease.held.term !== step.term) {
        return { because: "job_cancelled_lease_lost", detail, cancelJob: true };
      }
      const isPromotion = step.kind === "promote";
      if (
        w.now >=
        after(startedAt, isPromotion ? promotionLimitMs(w) : w.config.primaryStartTimeoutMs)
      ) {
        const slowPromotions = w.memory.slowPromotions + (isPromotion ? 1 : 0);
        const remember = { slowPromotions };
        return { because: "promotion_too_slow", detail, cancelJob: true, remember };
      }
      return { because: "job_running", detail, vouch: true };
    }
    case "start-standby": {
      // Without an upstream a rewound server may lack WAL for ever; once there is a leader to follow, start anew.
      const inTime = w.now < after(startedAt, w.config.primaryStartTimeoutMs);
      const vouch = followsSite(w) && leads(w) !== undefined && inTime;
      const isStuck = step.upstream === undefined && w.now >= after(startedAt, ALONE_MS);
      if (!isStuck || readyLeader(w) === undefined)
        return { because: "job_running", detail, vouch };
      return {
        because: "job_running",
        detail: `${detail}, now there is a leader`,
        cancelJob: true,
      };
    }
    case "rewind":
      return { because: "job_running", detail, vouch: followsSite(w) && leads(w) !== undefined };
    case "clone": {
      // Nobody else here has what a person wants to be copied from the other site.
      const isAsked = followsSite(w) && w.requests.reinitialise !== undefined;
      return { because: "job_running", detail, vouch: isAsked && leads(w) !== undefined };
    }
    case "stop":
      return { because: "job_running", detail, vouch: leads(w) !== undefined };
    default:
      return { because: "job_running", detail };
  }
}
