// What can go wrong in the network of a lab with namespaces, and how is it mended?

import { delayHost, endDelays, relayedBy } from "./delays.ts";
import { cutLink, healLink, hostNumber, LINKS, type Link } from "./namespaces.ts";
import type { Order } from "./order.ts";
import { requireMember } from "./record.ts";
import { freeLink, slowedPackets, slowLink } from "./slow-links.ts";
import { waitFor } from "./wait-until.ts";
import {
  answers,
  buildWall,
  hostOf,
  type Party,
  removeWall,
  wallAround,
  wallFrom,
  wallsOf,
  wallTowards,
} from "./walls.ts";

const EFFECT = { limitMs: 5_000 } as const;
const LOSSY = "loss";
const wallName = (party: Party): string => `cut-${party}`;
const wallNameTo = (node: string): string => `cut-to-${node}`;

/** Cuts a host from some parties or from one other host by walls; when none is named, by its plugs. */
export async function cut(order: Order): Promise<void> {
  const { lab, node, options } = order;
  const { from, to, way, fate } = options;
  const host = hostOf(lab, node);
  for (const party of from) {
    const packets = wallFrom(lab, host, party);
    await buildWall(host, { name: wallName(party), packets, way, fate });
  }
  if (to !== undefined) {
    const packets = wallTowards(requireMember(lab, to));
    await buildWall(host, { name: wallNameTo(to), packets, way, fate });
  }
  if (from.length === 0 && to === undefined) await pullPlugs(order);
}

/** Mends what `cut` with the same options did; without any, everything that is wrong with the host's network. */
export async function heal(order: Order): Promise<void> {
  const { lab, node, options } = order;
  const host = hostOf(lab, node);
  const { from, to, links } = options;
  for (const party of from) await removeWall(host, wallName(party));
  if (to !== undefined) await removeWall(host, wallNameTo(to));
  if (from.length > 0 || to !== undefined) return;
  await putPlugsBack(order);
  for (const link of links) await freeLink(lab, host, link);
  if (links.length < LINKS.length) return;
  for (const name of (await wallsOf(host)).keys()) await removeWall(host, name);
  await endDelays(lab);
}

/** Packets vanish, as they do when a switch dies. Returns when nobody out there gets an answer any more. */
export async function pullPlugs(order: Order): Promise<void> {
  await plug(order, cutLink);
  const { lab, node, options } = order;
  const { address, clusterAddress, port } = requireMember(lab, node);
  for (const link of options.links) {
    const host = link === "client" ? address : clusterAddress;
    await waitFor(`${host} to be silent`, async () => !(await answers(host, port)), EFFECT);
  }
}

export const putPlugsBack = (order: Order): Promise<void> => plug(order, healLink);

async function plug(
  { lab, node, options }: Order,
  act: (lab: string, link: Link, host: number) => Promise<void>,
): Promise<void> {
  const host = hostOf(lab, node);
  for (const link of options.links) await act(lab.name, link, hostNumber(host));
}

/** A share of all packets between this host and the others vanishes, each way. */
export async function losePackets({ lab, node, options }: Order): Promise<void> {
  const host = hostOf(lab, node);
  const packets = wallAround(lab, host);
  await buildWall(host, { name: LOSSY, packets, way: options.way, fate: options.share });
}

export async function slowLinks({ lab, node, options }: Order): Promise<void> {
  const host = hostOf(lab, node);
  for (const link of options.links) await slowLink(lab, host, { link, kbit: options.kbit });
}

/** Everything between this host and the others takes longer, each way. */
export const delay = ({ lab, node, options }: Order): Promise<void> =>
  delayHost(lab, node, options.delayMs);

/** What the walls, slow links and relays of a host have done so far: one sentence each. */
export async function networkEffects({ lab, node }: Pick<Order, "lab" | "node">) {
  const member = lab.members.find(({ name }) => name === node);
  if (member?.namespace === undefined) return [];
  const walls = [...(await wallsOf(member))].map(
    ([name, stopped]) => `${name} of ${node} has stopped ${stopped} packets`,
  );
  const [slowed, relayed] = [await slowedPackets(member), await relayedBy(member)];
  const held = `the slow links of ${node} have held back or dropped ${slowed} packets`;
  const delayed = `${relayed} connections of ${node} were delayed`;
  return [...walls, ...(slowed === undefined ? [] : [held]), ...(relayed === 0 ? [] : [delayed])];
}
