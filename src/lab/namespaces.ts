// Hosts made of network namespaces: each with a cluster link and a client link that can be cut.
//
// Everything we make has this lab's prefix in its name, and only such things are removed.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { AppError } from "../model/error.ts";
import { hostAddress, linkPrefix, type Subnets } from "./network.ts";
import { requireProgram } from "./programs.ts";
import type { LabMember } from "./record.ts";

const execute = promisify(execFile);

export const LINKS = ["cluster", "client"] as const;
export type Link = (typeof LINKS)[number];

/** How `ip` says that a link is plugged into a bridge. */
const INTO = "master"; // tidy-allow: the word of iproute2

/** This machine's own address on both networks: clients, people and measurements sit here. */
const OUTSIDE = 254;

const letter = (link: Link): string => (link === "cluster" ? "c" : "k");
const bridgeOf = (lab: string, link: Link): string => `${linkPrefix(lab)}b${letter(link)}`;
/** The end of a host's link that is plugged into the bridge, like a cable into a switch. */
export const plugOf = (lab: string, link: Link, host: number): string =>
  `${linkPrefix(lab)}${letter(link)}${host}`;

/** The number that a member's host has in names and addresses. */
export const hostNumber = ({ namespace }: LabMember): number => Number(namespace?.split("-h")[1]);

/** Makes the two bridges and a namespace for each host. */
export async function makeNetwork(
  lab: string,
  subnets: Subnets,
  hosts: readonly number[],
): Promise<void> {
  for (const link of LINKS) {
    const bridge = bridgeOf(lab, link);
    await ip("link", "add", bridge, "type", "bridge");
    await ip("address", "add", `${hostAddress(subnets[link], OUTSIDE)}/24`, "dev", bridge);
    await ip("link", "set", bridge, "up");
  }
  for (const host of hosts) await makeHost(lab, subnets, host);
}

async function makeHost(lab: string, subnets: Subnets, host: number): Promise<void> {
  const namespace = subnets.namespaceOf(host);
  await ip("netns", "add", namespace);
  await ip("-n", namespace, "link", "set", "lo", "up");
  for (const link of LINKS) {
    const plug = plugOf(lab, link, host);
    const inside = ["type", "veth", "peer", "name", link, "netns", namespace];
    await ip("link", "add", plug, ...inside);
    await ip("link", "set", plug, INTO, bridgeOf(lab, link), "up");
    const address = `${hostAddress(subnets[link], host)}/24`;
    await ip("-n", namespace, "address", "add", address, "dev", link);
    await ip("-n", namespace, "link", "set", link, "up");
  }
}

/** Pulls the plug: packets vanish silently, as they do when a switch dies. */
export async function cutLink(lab: string, link: Link, host: number): Promise<void> {
  await ip("link", "set", plugOf(lab, link, host), "nomaster");
}

export async function healLink(lab: string, link: Link, host: number): Promise<void> {
  await ip("link", "set", plugOf(lab, link, host), INTO, bridgeOf(lab, link));
}

/** Removes every link and namespace of this lab; what is gone already is fine. */
export async function removeNetwork(lab: string): Promise<void> {
  const prefix = linkPrefix(lab);
  const namespaces = (await ip("netns", "list"))
    .split("\n")
    .map((line) => line.split(" ")[0] ?? "");
  for (const namespace of namespaces.filter((name) => name.startsWith(`${prefix}-h`))) {
    await ip("netns", "delete", namespace);
  }
  const links = await ip("-o", "link", "show");
  for (const [, name = ""] of links.matchAll(/^\d+: ([^:@]+)/gm)) {
    // A pair of links goes as one: the second of the two is not there any more.
    if (name.startsWith(prefix)) await ip("link", "delete", name).catch(() => "");
  }
}

async function ip(...args: readonly string[]): Promise<string> {
  try {
    return (await execute(requireProgram("ip"), [...args])).stdout;
  } catch (error) {
    const why = error instanceof Error ? error.message.trim().split("\n").at(-1) : String(error);
    throw new AppError("LAB_FAILED", `ip ${args.join(" ")}`, why ?? "", error);
  }
}
