// Do the two sides of a stream tell the same story? Where they do not, one of them is wrong, and that is a finding.
import { printBytes, printSpan } from "../amounts.ts";
import { lagBytes, parseLsn, ZERO_LSN } from "../lsn.ts";
import type { Ms } from "../time.ts";
import type { LagCase, Look } from "./case.ts";

/** Standbys answer every ten seconds at the latest, unless somebody changed wal_receiver_status_interval. */
const SILENT_MS: Ms = 30_000;
/** What two servers answer at the same time reaches us this far apart. */
const APART_MS: Ms = 1_000;
/** Both sides are looked at seconds apart. */
const TOLERATED_BYTES = 16 * 1024 * 1024;
const TOLERATED_MS: Ms = 15_000;

/** One sentence each; empty while both agree, or while only one side is known. */
export function disagreements(of: LagCase): readonly string[] {
  const { name, sent, own, walPerSecond = 0 } = of;
  if (own === undefined) return [];
  const atOnce = areOfOneMoment(of);
  if (sent === undefined)
    return own.receiver?.status === "streaming" && atOnce
      ? [
          `${name} says that it streams from ${own.receiver.upstream}, which shows no walsender for it`,
        ]
      : [];
  const found: string[] = [];
  if (own.receiver === undefined && atOnce)
    found.push(`its upstream believes that ${name} streams, but no walreceiver runs there`);
  const age = sent.replyAgeMs;
  if (age !== undefined && age >= SILENT_MS)
    found.push(
      `its upstream has heard nothing from ${name} for ${printSpan(age)}: what it shows is that old`,
    );
  const room = TOLERATED_BYTES + (walPerSecond * TOLERATED_MS) / 1000;
  const there = parseLsn(sent.stages.replay.lsn) ?? ZERO_LSN;
  const here = parseLsn(own.stages.replay.lsn) ?? ZERO_LSN;
  const apart = lagBytes(here, there) + lagBytes(there, here);
  if (apart > room)
    found.push(
      `what ${name} says it has replayed is ${printBytes(apart)} from what its upstream has`,
    );
  return found;
}

/**
 * Whether both sides have shown what they show at one and the same moment. A stream that has just begun or ended is seen
 * by one side before the other.
 */
function areOfOneMoment({ upstreamLook, ownLook }: LagCase): boolean {
  if (upstreamLook === undefined || ownLook === undefined) return false;
  const looks: readonly Look[] = [upstreamLook, ownLook];
  const from = Math.min(...looks.map(({ ageMs, steadyMs }) => ageMs + steadyMs));
  const to = Math.max(...looks.map(({ ageMs }) => ageMs));
  return from - to >= APART_MS;
}
