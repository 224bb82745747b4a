// The lab's two kinds of network: addresses on loopback, or a network namespace for each host.
import { createHash } from "node:crypto";

/** A lab's address ranges, each as its first three numbers, and the names of its namespaces. */
export interface Subnets {
  /** Servers, agents and stores among each other. */
  readonly cluster: string;
  /** Clients and people. */
  readonly client: string;
  namespaceOf(host: number): string;
}

export const hostAddress = (subnet: string, host: number): string => `${subnet}.${host}`;

/** Both networks are the same block of loopback addresses. */
export const loopbackSubnets = (prefix: string): Subnets => ({
  cluster: prefix,
  client: prefix,
  namespaceOf: () => "",
});

/** Names of links end at 15 letters, so a lab's name appears in them as four digits of its hash. */
export const linkPrefix = (lab: string): string =>
  `us${createHash("sha256").update(lab).digest("hex").slice(0, 4)}`;

/** Ranges reserved for tests of network equipment, nobody's real network; labs differ in the third number. */
export const namespaceSubnets = (lab: string, third: number): Subnets => ({
  cluster: `198.18.${third}`,
  client: `198.19.${third}`,
  namespaceOf: (host) => `${linkPrefix(lab)}-h${host}`,
});

/** The first third number, from the one of this name on, that no registered lab has. */
export function freeThird(lab: string, taken: ReadonlySet<string>): number {
  const first = Number.parseInt(linkPrefix(lab).slice(2, 4), 16);
  const candidates = Array.from({ length: 256 }, (_, tried) => (first + tried) % 256);
  return candidates.find((third) => !taken.has(`198.19.${third}`)) ?? first;
}
