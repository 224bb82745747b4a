// Every checker of the simulator, by its number in SPEC.md.
import { calmAtLast, everyoneStreams, writesReturn } from "./alive.ts";
import { armedFirst } from "./armed-first.ts";
import type { MakeChecker } from "./checker.ts";
import { fenceCalm } from "./fence-calm.ts";
import { historyGrows } from "./history-grows.ts";
import { noLoss } from "./no-loss.ts";
import { oneWriter } from "./one-writer.ts";
import { ownStore } from "./own-store.ts";
import { dataKept, rightRows } from "./right-rows.ts";

export const CHECKERS: readonly MakeChecker[] = [
  oneWriter,
  noLoss,
  historyGrows,
  armedFirst,
  fenceCalm,
  rightRows,
  dataKept,
  ownStore,
  writesReturn,
  everyoneStreams,
  calmAtLast,
];
