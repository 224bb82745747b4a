// Replication slots of a simulated server, and our own record of them.
import type { CatalogHorizons, SlotCopy, SlotMove } from "../ports/postgres.ts";
import type { DataDirectory, Disk, SimSlot } from "./disk.ts";
import type { SimHost } from "./host.ts";
import type { Run } from "./run.ts";

/** Recorded as ours before it exists; one that is there already stays whose it is. */
export function makeSlot(disk: Disk, data: DataDirectory, name: string): void {
  if (data.slots.has(name)) return;
  disk.ownSlots.add(name);
  data.slots.set(name, { name, restart: data.end });
}

/** As the real adapter: never an active one, never a logical one. */
export function dropSlot(host: SimHost, data: DataDirectory, name: string): void {
  const { disk, server, truth } = host;
  const slot = data.slots.get(name);
  if (slot === undefined) {
    disk.ownSlots.delete(name);
    return;
  }
  const isActive = [...(server.run?.senders.values() ?? [])].some((s) => s.slot === name);
  if (isActive || slot.logical !== undefined) return;
  truth.tell({
    kind: "slot-dropped",
    host: host.name,
    slot: name,
    isOurs: disk.ownSlots.has(name),
  });
  data.slots.delete(name);
  disk.ownSlots.delete(name);
}

/** Transactions are not simulated: every logical slot needs the same old one. */
export const SIM_XMIN = 700;
/** So long after its start a standby's feedback has reached the leader's slot. */
export const FEEDBACK_MS = 3_000;

export function copiesOf(theirs: DataDirectory, names: readonly string[]): readonly SlotCopy[] {
  return names.flatMap((name) => {
    const slot = theirs.slots.get(name);
    if (slot?.logical === undefined) return [];
    return [{ name, state: new TextEncoder().encode(JSON.stringify(slot)) }];
  });
}

export function placeCopies(data: DataDirectory, copies: readonly SlotCopy[]): void {
  for (const { name, state } of copies)
    data.slots.set(name, JSON.parse(new TextDecoder().decode(state)) as SimSlot);
}

export function moveCopies(host: SimHost, run: Run, moves: readonly SlotMove[]): void {
  for (const { name, to } of moves) {
    const slot = host.disk.data?.slots.get(name);
    if (slot?.logical !== undefined && run.phase === "standby")
      slot.restart = Math.max(slot.restart, Math.min(Number(to), run.replayed));
  }
}

export function horizonsOf(theirs: DataDirectory, ownSlot: string, host: SimHost): CatalogHorizons {
  const startedAt = host.server.run?.startedAt ?? Number.POSITIVE_INFINITY;
  const hasSpoken = host.clock.now() >= startedAt + FEEDBACK_MS;
  const logical = [...theirs.slots.values()].filter((slot) => slot.logical !== undefined);
  return {
    own: hasSpoken && theirs.slots.has(ownSlot) ? SIM_XMIN : undefined,
    logical: Object.fromEntries(logical.map(({ name }) => [name, SIM_XMIN])),
  };
}
