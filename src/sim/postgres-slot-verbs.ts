// The verbs of the Postgres port that touch replication slots, on one simulated host.
import { AppError } from "../model/error.ts";
import type { Postgres, Upstream } from "../ports/postgres.ts";
import { askAfter } from "./ask.ts";
import type { DataDirectory } from "./disk.ts";
import type { SimHost } from "./host.ts";
import {
  copiesOf,
  dropSlot,
  horizonsOf,
  makeSlot,
  moveCopies,
  placeCopies,
} from "./postgres-slots.ts";
import type { SimProcess } from "./process.ts";
import type { Run } from "./run.ts";

type SlotVerbs = Pick<
  Postgres,
  | "syncSlots"
  | "createLogicalSlots"
  | "readSlots"
  | "placeSlots"
  | "advanceCopies"
  | "catalogHorizons"
  | "dropSlot"
>;

export function slotVerbs(host: SimHost, agent: SimProcess): SlotVerbs {
  const { kernel, disk, network, name: self } = host;
  const statementMs = (): number => host.server.profile.sqlMs;
  const after = <T>(attempt: string, ms: number, signal: AbortSignal, work: () => T): Promise<T> =>
    askAfter(kernel, { process: agent, attempt, ms, signal, work });

  /** A statement on the own server, which must answer. */
  const sql = (
    attempt: string,
    signal: AbortSignal,
    work: (data: DataDirectory, run: Run) => void,
  ): Promise<void> =>
    after(attempt, statementMs(), signal, () => {
      const run = host.server.run;
      const { data } = disk;
      if (run === undefined || run.phase === "starting" || data === undefined)
        throw new AppError("PG_SQL_FAILED", attempt, "no server");
      if (run.frozen) throw new AppError("PG_SQL_TIMEOUT", attempt, "no answer");
      work(data, run);
    });

  /** A statement on the leader's server. */
  const atLeader = <T>(
    attempt: string,
    from: Upstream,
    signal: AbortSignal,
    work: (theirs: DataDirectory) => T,
  ): Promise<T> =>
    after(attempt, 2 * network.latency(self, from.host) + statementMs(), signal, () => {
      const source = host.world.serverAt(from.host);
      if (source?.data === undefined || !source.accepts || !network.connects(self, from.host))
        throw new AppError("PG_SQL_FAILED", attempt, "the leader does not answer");
      return work(source.data);
    });

  return {
    // oxlint-disable-next-line eslint/max-params -- the port's own shape
    syncSlots: (create, drop, positions, signal) =>
      sql("keeping slots", signal, (data) => {
        for (const name of create) makeSlot(disk, data, name);
        for (const name of drop) dropSlot(host, data, name);
        for (const [name, position] of Object.entries(positions)) {
          const slot = data.slots.get(name);
          if (slot !== undefined)
            slot.restart = Math.max(slot.restart, Math.min(Number(position), data.end));
        }
      }),
    createLogicalSlots: (slots, signal) =>
      sql("creating logical slots", signal, (data) => {
        for (const { name, logical } of slots)
          if (!data.slots.has(name) && logical !== undefined)
            data.slots.set(name, { name, restart: data.end, logical });
      }),
    readSlots: (from, names, signal) =>
      atLeader("reading slots", from, signal, (theirs) => copiesOf(theirs, names)),
    placeSlots: (copies, signal) =>
      after("placing slots", 5, signal, () => {
        if (host.server.run !== undefined || disk.data === undefined)
          throw new AppError("NOT_POSSIBLE", "placing slots", "the server runs");
        placeCopies(disk.data, copies);
        host.truth.tell({ kind: "copies-placed", host: self });
      }),
    advanceCopies: (moves, signal) =>
      sql("moving slots", signal, (_, run) => moveCopies(host, run, moves)),
    catalogHorizons: (from, ownSlot, signal) =>
      atLeader("comparing slots", from, signal, (theirs) => horizonsOf(theirs, ownSlot, host)),
    dropSlot: (name, signal) =>
      sql("dropping a slot", signal, (data) => {
        data.slots.delete(name);
        disk.ownSlots.delete(name);
      }),
  };
}
