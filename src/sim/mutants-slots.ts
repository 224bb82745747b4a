// Lies about replication slots.
import type { LocalServer } from "../model/server.ts";
import type { NodePorts } from "../node/node.ts";
import type { Postgres } from "../ports/postgres.ts";
import { postgresWith } from "./mutants-postgres.ts";

/** Slot dropped before its replacement: whenever slots are looked after, the idle ones make room first. */
export function dropsIdleSlots(ports: NodePorts): NodePorts {
  const { postgres } = ports;
  let idle: readonly string[] = [];
  const retouch = (server: LocalServer): LocalServer => {
    const slots = server.sql.kind === "known" ? server.sql.value.slots : [];
    idle = slots.filter((slot) => !slot.active).map(({ name }) => name);
    return server;
  };
  // oxlint-disable-next-line eslint/max-params -- the port's own shape
  const syncSlots: Postgres["syncSlots"] = (create, drop, positions, signal) =>
    postgres.syncSlots(create, [...drop, ...idle], positions, signal);
  return { ...ports, postgres: postgresWith(postgres, retouch, { syncSlots }) };
}

/** Copies trusted: the leader is believed to keep whatever a copy needs, whether it has heard of it or not. */
export function trustsCopies(ports: NodePorts): NodePorts {
  const { postgres } = ports;
  // oxlint-disable-next-line eslint/max-params -- the port's own shape
  const catalogHorizons: Postgres["catalogHorizons"] = async (from, ownSlot, signal) => {
    const { logical } = await postgres.catalogHorizons(from, ownSlot, signal);
    return { own: Math.min(...Object.values(logical)), logical };
  };
  return { ...ports, postgres: postgresWith(postgres, (server) => server, { catalogHorizons }) };
}
