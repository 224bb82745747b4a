// Lies about replication slots.
import { lsn } from "../model/lsn.ts";
import type { LocalServer } from "../model/server.ts";
import { slotNameOf } from "../model/slot.ts";
import type { Instant } from "../model/time.ts";
import { parseHold } from "../model/wire/dcs.ts";
import type { NodePorts } from "../node/node.ts";
import type { Postgres } from "../ports/postgres.ts";
import type { Store } from "../ports/store.ts";
import type { Mutant } from "./mutant.ts";
import { postgresWith } from "./mutants-postgres.ts";
import { storeWith } from "./mutants-store.ts";

/** Slot dropped before its replacement: whenever slots are looked after, the idle ones make room first. */
function dropsIdleSlots(ports: NodePorts): NodePorts {
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

const AWAY_MS = 60_000;
const MEMBER_KEY = /\/members\/(.+)$/;

/** Leader counts as away: a member whose key has been gone for a minute has left, though it be the one that leads. */
function takesLeadersForAway(ports: NodePorts): NodePorts {
  const { postgres, store, clock } = ports;
  const goneSince = new Map<string, Instant>();
  const range: Store["range"] = async (prefix, options) => {
    const answer = await store.range(prefix, options);
    const there = new Set(answer.entries.map(({ key }) => MEMBER_KEY.exec(key)?.[1] ?? ""));
    const leader = answer.entries.find(({ key }) => key.endsWith("/leader"))?.value;
    for (const name of there) goneSince.delete(name);
    if (leader !== undefined && !there.has(leader) && isOver(goneSince.get(leader), clock.now()))
      await postgres.syncSlots([], [slotNameOf(leader)], {}, NEVER);
    const holder = answer.entries.find(({ key }) => key.endsWith("/hold"))?.value;
    const last = holder === undefined ? undefined : parseHold(holder, 0, 1).holder;
    if (last !== undefined && !there.has(last) && !goneSince.has(last))
      goneSince.set(last, clock.now());
    return answer;
  };
  return { ...ports, store: storeWith(store, { range }) };
}

/** Silence counts as absence: a member has left when it was last seen a minute ago, though nobody could look meanwhile. */
function takesSilenceForAbsence(ports: NodePorts): NodePorts {
  const { postgres, store, clock } = ports;
  const seenAt = new Map<string, Instant>();
  const range: Store["range"] = async (prefix, options) => {
    const answer = await store.range(prefix, options);
    for (const { key } of answer.entries) {
      const name = MEMBER_KEY.exec(key)?.[1];
      if (name !== undefined) seenAt.set(name, clock.now());
    }
    for (const [name, at] of seenAt)
      if (isOver(at, clock.now())) await postgres.syncSlots([], [slotNameOf(name)], {}, NEVER);
    return answer;
  };
  return { ...ports, store: storeWith(store, { range }) };
}

const NEVER = new AbortController().signal;
const isOver = (since: Instant | undefined, now: Instant): boolean =>
  since !== undefined && now - since >= AWAY_MS;

/** Copies trusted: the leader is believed to keep whatever a copy needs, whether it has heard of it or not. */
function trustsCopies(ports: NodePorts): NodePorts {
  const { postgres } = ports;
  // oxlint-disable-next-line eslint/max-params -- the port's own shape
  const catalogHorizons: Postgres["catalogHorizons"] = async (from, ownSlot, signal) => {
    const { logical } = await postgres.catalogHorizons(from, ownSlot, signal);
    return { own: Math.min(...Object.values(logical)), logical };
  };
  return { ...ports, postgres: postgresWith(postgres, (server) => server, { catalogHorizons }) };
}

/** Copies run ahead: they are moved to where the standby is, not to where the reader is. */
function movesCopiesAhead(ports: NodePorts): NodePorts {
  const { postgres } = ports;
  const advanceCopies: Postgres["advanceCopies"] = (moves, signal) => {
    const ahead = moves.map((move) => ({ ...move, to: FAR_AHEAD }));
    return postgres.advanceCopies(ahead, signal);
  };
  return { ...ports, postgres: postgresWith(postgres, (server) => server, { advanceCopies }) };
}

const FAR_AHEAD = lsn(Number.MAX_SAFE_INTEGER);

export const SLOT_MUTANTS: readonly Mutant[] = [
  {
    name: "copies-run-ahead",
    flaws: { wrapPorts: movesCopiesAhead },
    breaks: ["S21"],
    story: "late-reader",
  },
  {
    name: "copies-trusted",
    flaws: { wrapPorts: trustsCopies },
    breaks: ["S21"],
    story: "logical-copy-too-young",
  },
  {
    name: "slot-dropped-early",
    flaws: { wrapPorts: dropsIdleSlots },
    breaks: ["S20"],
    story: "member-away-for-long",
  },
  {
    name: "leader-counts-as-away",
    flaws: { wrapPorts: takesLeadersForAway },
    breaks: ["S20"],
    story: "primary-cut-for-long",
  },
  {
    name: "silence-counts-as-absence",
    flaws: { wrapPorts: takesSilenceForAbsence },
    breaks: ["S20"],
    story: "member-back-while-store-away",
  },
  {
    name: "sleep-counts-as-absence",
    flaws: { wrapPorts: takesSilenceForAbsence },
    breaks: ["S20"],
    story: "agent-sleeps-through-a-return",
  },
];
