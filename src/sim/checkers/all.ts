// Every checker of the simulator, by its number in SPEC.md.
import { calmAtLast, everyoneStreams, writesReturn } from "./alive.ts";
import { armedFirst } from "./armed-first.ts";
import { askedAgain } from "./asked-again.ts";
import type { MakeChecker } from "./checker.ts";
import { confirmedFirst } from "./confirmed-first.ts";
import { copiesSafe } from "./copies-safe.ts";
import { fenceCalm } from "./fence-calm.ts";
import { followsSite } from "./follows-site.ts";
import { historyGrows } from "./history-grows.ts";
import { lawfulLeader } from "./lawful-leader.ts";
import { leaderWrites } from "./leader-writes.ts";
import { loopLives } from "./loop-lives.ts";
import { noInstants } from "./no-instants.ts";
import { noLoss } from "./no-loss.ts";
import { oneWriter } from "./one-writer.ts";
import { ownStore } from "./own-store.ts";
import { recordedFirst } from "./recorded-first.ts";
import { dataKept, rightRows } from "./right-rows.ts";
import { pausesEnd, routesFollow } from "./routes-follow.ts";
import { slotsKept } from "./slots-kept.ts";
import { syncNoLoss } from "./sync-no-loss.ts";
import { vouchedFor } from "./vouched-for.ts";
import { wholeData } from "./whole-data.ts";

export const CHECKERS: readonly MakeChecker[] = [
  oneWriter,
  noLoss,
  syncNoLoss,
  historyGrows,
  armedFirst,
  recordedFirst,
  fenceCalm,
  rightRows,
  dataKept,
  leaderWrites,
  lawfulLeader,
  followsSite,
  ownStore,
  wholeData,
  slotsKept,
  copiesSafe,
  writesReturn,
  everyoneStreams,
  calmAtLast,
  noInstants,
  confirmedFirst,
  vouchedFor,
  loopLives,
  askedAgain,
  routesFollow,
  pausesEnd,
];
