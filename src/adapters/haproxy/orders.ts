// Which commands lead from HAProxy's present state to the plan? Pure: a difference, closing before opening.

import type { Address } from "../../model/address.ts";
import { AppError } from "../../model/error.ts";
import type { RoutePlan, Target } from "../../model/route.ts";
import { printAddress } from "../../model/settings-address.ts";
import { WAITING_ROOM } from "./render.ts";
import type { AdminState, Slot } from "./state.ts";

/** Of a member that has published no address of its agent. */
const USUAL_API_PORT = 8008;

/** Who shall have a place in one group of a route's slots. */
interface Wanted {
  readonly address: Address;
  readonly check: Address;
  readonly state: Exclude<AdminState, "maint">;
  /**
   * It waits for its own health check to open it: a standby on the write route, so that the checks alone find the next
   * primary should the agent be dead by then.
   */
  readonly isAsleep?: true;
}

interface Group {
  readonly route: "write" | "read" | "report";
  readonly prefix: "s" | "b";
  readonly wanted: readonly Wanted[];
}

/**
 * Whether the write target is another one than this agent said last (or the agent has just begun): then whoever else takes
 * writes is shut out at once. Without news a check may know better than an old plan, and is believed.
 */
export interface News {
  readonly isNewTarget: boolean;
}

/** The commands for the whole plan; empty when everything is as it should be. */
export function planOrders(slots: readonly Slot[], plan: RoutePlan, news: News): readonly string[] {
  return [
    ...(plan.isReadOnly === true ? closeOrders(slots) : []),
    ...(plan.write === undefined ? [] : writeOrders(slots, plan, { target: plan.write, ...news })),
    ...groupOrders(slots, { route: "read", prefix: "s", wanted: plan.reads.map(asWanted) }),
    ...reportOrders(slots, plan),
  ];
}

/** Nobody is let in to write, and who is in is cut. */
export const closeOrders = (slots: readonly Slot[]): readonly string[] =>
  slots
    .filter(({ route, admin }) => route === "write" && admin !== "maint")
    .flatMap((slot) => shutOut(slot));

/**
 * Whoever serves writers falls asleep, which ends its sessions, and wakes by its own check if it is a primary after all; who
 * comes in is sent where he is refused, and tried again until somebody serves.
 */
export function waitOrders(slots: readonly Slot[]): readonly string[] {
  const mine = slots.filter(({ route }) => route === "write");
  const room = mine.find(({ name }) => name === WAITING_ROOM);
  const serving = mine.filter((slot) => slot !== room && slot.admin === "ready" && slot.isUp);
  return [
    ...(room?.admin === "maint" ? [`set server write/${WAITING_ROOM} state ready`] : []),
    ...serving.flatMap(({ name }) => [
      `set server write/${name} health down`,
      `shutdown sessions server write/${name}`,
    ]),
  ];
}

function writeOrders(
  slots: readonly Slot[],
  plan: RoutePlan,
  { target, isNewTarget }: News & { readonly target: Target },
): readonly string[] {
  const all = slots.filter(({ route }) => route === "write");
  const room = all.find(({ name }) => name === WAITING_ROOM);
  const mine = all.filter((slot) => slot !== room);
  // On news: who takes writes and shall not, is out before the new one is in. It sleeps from the next round on.
  const former = mine.filter(
    (slot) => isNewTarget && slot.isUp && slot.admin !== "maint" && !isSame(slot.address, target),
  );
  const standbys = unique([...plan.reads, ...plan.reports]).filter(
    (one) => !isSame(one, target) && !former.some(({ address }) => isSame(one, address)),
  );
  const wanted: readonly Wanted[] = [
    asWanted({ ...target, state: "ready" }),
    ...standbys.map((one) => ({
      ...asWanted({ ...one, state: "ready" }),
      isAsleep: true as const,
    })),
  ];
  const place = mine.find(({ address }) => isSame(address, target));
  const wake =
    isNewTarget && place?.admin === "ready" && !place.isUp
      ? [`set server write/${place.name} health up`]
      : [];
  const others = slots.filter((slot) => !former.includes(slot));
  return [
    ...former.flatMap(shutOut),
    ...groupOrders(others, { route: "write", prefix: "s", wanted }),
    ...wake,
    // Last, so that nobody meets a route without a place. Who is inside tries the new one next.
    ...(isNewTarget && room !== undefined && room.admin !== "maint" ? [maint(room)] : []),
  ];
}

/** The dedicated ones serve; other standbys stand in as backups, which HAProxy calls when the dedicated ones are down. */
function reportOrders(slots: readonly Slot[], plan: RoutePlan): readonly string[] {
  const standIns = plan.reads.filter((one) => !plan.reports.some((other) => isSame(one, other)));
  return [
    ...groupOrders(slots, { route: "report", prefix: "s", wanted: plan.reports.map(asWanted) }),
    ...groupOrders(slots, { route: "report", prefix: "b", wanted: standIns.map(asWanted) }),
  ];
}

function groupOrders(slots: readonly Slot[], { route, prefix, wanted }: Group): readonly string[] {
  const group = slots.filter((slot) => slot.route === route && slot.name.startsWith(prefix));
  // A listener that is not configured has no places.
  if (!slots.some((slot) => slot.route === route)) return [];
  const leaving = group.filter(
    ({ address, admin }) =>
      admin !== "maint" && !wanted.some((one) => isSame(one.address, address)),
  );
  const closing = leaving.flatMap((slot) => (route === "write" ? shutOut(slot) : [maint(slot)]));
  const free = group.filter(
    (slot) => slot.admin === "maint" && !wanted.some((one) => isSame(one.address, slot.address)),
  );
  const opening = wanted.flatMap((one) => {
    const slot = group.find(({ address }) => isSame(address, one.address)) ?? free.shift();
    if (slot === undefined) {
      const why = `all ${group.length} places of the ${route} route are taken`;
      throw new AppError("NOT_POSSIBLE", `balance to ${printAddress(one.address)}`, why);
    }
    return placeOrders(slot, one);
  });
  return [...closing, ...opening];
}

/** From what a place is to what it shall be. A place in maintenance may be given another address. */
function placeOrders(slot: Slot, { address, check, state, isAsleep }: Wanted): readonly string[] {
  const server = `${slot.route}/${slot.name}`;
  const orders: string[] = [];
  if (!isSame(slot.address, address)) {
    orders.push(`set server ${server} addr ${address.host} port ${address.port}`);
  }
  if (!isSame(slot.check, check) || !isSame(slot.address, address)) {
    orders.push(`set server ${server} check-addr ${check.host} port ${check.port}`);
  }
  if (slot.admin !== state) {
    orders.push(`set server ${server} state ${state}`);
    // Out of maintenance HAProxy calls a server up until a check has failed.
    if (isAsleep === true) orders.push(`set server ${server} health down`);
  }
  return orders;
}

const maint = ({ route, name }: Slot): string => `set server ${route}/${name} state maint`;

/** Maintenance cuts the sessions by itself where the configuration says so; the second command is for all others. */
const shutOut = (slot: Slot): readonly string[] => [
  maint(slot),
  `shutdown sessions server ${slot.route}/${slot.name}`,
];

const asWanted = (one: Target & { readonly state: "ready" | "drain" }): Wanted => ({
  address: { host: one.host, port: one.port },
  check: one.api ?? { host: one.host, port: USUAL_API_PORT },
  state: one.state,
});

const isSame = (a: Address, b: Address): boolean => a.host === b.host && a.port === b.port;

const unique = <T extends Address>(all: readonly T[]): readonly T[] =>
  all.filter((one, at) => all.findIndex((other) => isSame(one, other)) === at);
