// Which packets does a host lose? Walls of iptables inside the host's own network namespace.
//
// Each wall is a chain of its own: it is taken away by its name, whatever other walls stand, and its
// counters tell whether it has met a packet. A wall goes with its namespace, so `lab down` needs no list.
import { execFile } from "node:child_process";
import { connect } from "node:net";
import { promisify } from "node:util";
import { AppError } from "../model/error.ts";
import type { Ms } from "../model/time.ts";
import { requireProgram } from "./programs.ts";
import { type LabMember, type LabRecord, requireMember } from "./record.ts";
import { waitFor } from "./wait-until.ts";

const execute = promisify(execFile);

/** From whom a host can be cut; any of them together. */
export const PARTIES = ["store", "peers", "clients"] as const;
export type Party = (typeof PARTIES)[number];

/** Which packets meet the wall: those that arrive, those that leave, or both. */
export const WAYS = ["in", "out", "both"] as const;
export type Way = (typeof WAYS)[number];

/**
 * What the wall does with a packet. `silent`: it vanishes, as at a host that is dead or a cable that is
 * cut. `closed`: both ends get a reset, as from a process that ended. A number is the share that vanishes.
 */
export type Fate = "silent" | "closed" | number;

export interface Wall {
  /** Small letters, digits and hyphens; a host has one wall of a name. */
  readonly name: string;
  readonly packets: Packets;
  readonly way: Way;
  readonly fate: Fate;
}

/** The same packets as iptables calls them when they arrive and when they leave. */
interface Packets {
  readonly in: string;
  readonly out: string;
  /** A connection that the wall has to meet, from inside the host unless `outside`. */
  readonly knock: { readonly address: string; readonly port: number; readonly outside?: boolean };
}

const EFFECT_LIMIT_MS: Ms = 5_000;
const KNOCK_MS: Ms = 300;

/** The wall between a host and a party. */
export function wallFrom(lab: LabRecord, member: LabMember, party: Party): Packets {
  if (party === "store") return storePackets(lab);
  if (party === "clients") {
    const knock = { address: member.address, port: member.port, outside: true };
    return { in: "-i client", out: "-o client", knock };
  }
  // The host's own server is reached over its loopback, and stays reachable.
  const ports = `-p tcp -m multiport --ports ${member.port},${member.restPort}`;
  const other = lab.members.find(({ name }) => name !== member.name) ?? member;
  const knock = { address: other.clusterAddress, port: other.port };
  return { in: `-i cluster ${ports}`, out: `-o cluster ${ports}`, knock };
}

/** The agent's own requests, also to the member of the store on its host; that member serves the others. */
function storePackets(lab: LabRecord): Packets {
  const { hostname, port } = new URL(lab.etcd[0]?.clientUrl ?? "");
  const knock = { address: hostname, port: Number(port) };
  return { in: `-p tcp --sport ${port}`, out: `-p tcp --dport ${port}`, knock };
}

/** Everything between a host and one other host. */
export function wallTowards({ clusterAddress, port }: LabMember): Packets {
  const knock = { address: clusterAddress, port };
  return { in: `-s ${clusterAddress}`, out: `-d ${clusterAddress}`, knock };
}

/** Everything on the links between the hosts of the cluster. */
export function wallAround(lab: LabRecord, member: LabMember): Packets {
  const { knock } = wallFrom(lab, member, "peers");
  return { in: "-i cluster", out: "-o cluster", knock };
}

/** Builds a wall and returns when it has met its first packet: a fault without effect is an error. */
export async function buildWall(member: LabMember, wall: Wall): Promise<void> {
  const { name, packets, way, fate } = wall;
  await removeWall(member, name);
  await restoreRules(member, "filter", [
    `:${name} - [0:0]`,
    ...fateRules(fate).map((rule) => `-A ${name} ${rule}`),
    ...(way === "out" ? [] : [`-I INPUT ${packets.in} -j ${name}`]),
    ...(way === "in" ? [] : [`-I OUTPUT ${packets.out} -j ${name}`]),
  ]);
  const hasMet = async (): Promise<boolean> => {
    await knockAt(member, packets.knock);
    return (await stoppedBy(member, name)) > 0;
  };
  await waitFor(`the wall ${name} of ${member.name} to stop a packet`, hasMet, {
    limitMs: EFFECT_LIMIT_MS,
  });
}

/** A reset that is on its way passes, or its receiver would never hear of it. */
function fateRules(fate: Fate): readonly string[] {
  if (fate === "silent") return ["-j DROP"];
  if (fate !== "closed") return [`-m statistic --mode random --probability ${fate} -j DROP`];
  const resets = "-p tcp --tcp-flags RST RST -j RETURN";
  return [resets, "-p tcp -j REJECT --reject-with tcp-reset", "-j DROP"];
}

/** Takes one wall away; that there is none is fine. */
export async function removeWall(member: LabMember, name: string): Promise<void> {
  const rules = (await inside(member, "iptables-save", ["-t", "filter"])).split("\n");
  if (!rules.some((rule) => rule.startsWith(`:${name} `))) return;
  const jumps = rules.filter((rule) => rule.startsWith("-A ") && rule.endsWith(` -j ${name}`));
  await restoreRules(member, "filter", [
    ...jumps.map((rule) => rule.replace("-A", "-D")),
    `-F ${name}`,
    `-X ${name}`,
  ]);
}

/** The names of a host's walls, each with how many packets it has stopped. */
export async function wallsOf(member: LabMember): Promise<ReadonlyMap<string, number>> {
  const rules = await inside(member, "iptables-save", ["-t", "filter"]);
  const names = [...rules.matchAll(/^:([a-z0-9-]+) /gm)].map(([, name]) => name ?? "");
  const counts = names.map(async (name) => [name, await stoppedBy(member, name)] as const);
  return new Map(await Promise.all(counts));
}

async function stoppedBy(member: LabMember, name: string): Promise<number> {
  const listed = await inside(member, "iptables", ["-w", "-n", "-v", "-x", "-L", name]);
  return [...listed.matchAll(/^\s*(\d+)\s+\d+\s+(?:DROP|REJECT)/gm)]
    .map(([, count]) => Number(count))
    .reduce((sum, count) => sum + count, 0);
}

/** All of it or nothing, in one go. */
export async function restoreRules(
  member: LabMember,
  table: "filter" | "nat",
  rules: readonly string[],
): Promise<void> {
  const running = inside(member, "iptables-restore", ["-w", "--noflush"]);
  running.child.stdin?.end([`*${table}`, ...rules, "COMMIT", ""].join("\n"));
  await running;
}

/** The host of a member whose lab has hosts at all. */
export function hostOf(lab: LabRecord, node: string): LabMember & { readonly namespace: string } {
  const member = requireMember(lab, node);
  if (member.namespace !== undefined) return { ...member, namespace: member.namespace };
  const why = "the lab is on loopback; start it with --net namespaces";
  throw new AppError("NOT_POSSIBLE", `disturb the network of ${node}`, why);
}

/** Runs a program in the member's network. */
export function inside(member: LabMember, program: string, args: readonly string[]) {
  const enter = ["netns", "exec", member.namespace ?? "", requireProgram(program), ...args];
  const running = execute(requireProgram("ip"), enter);
  const told = running.then(
    ({ stdout }) => stdout,
    (error: unknown) => {
      const why = error instanceof Error ? error.message.trim().split("\n").at(-1) : "";
      throw new AppError("LAB_FAILED", `${program} ${args.join(" ")}`, why ?? "", error);
    },
  );
  return Object.assign(told, { child: running.child });
}

/** One attempt to connect; its answer does not matter, only that packets go. */
async function knockAt(
  member: LabMember,
  { address, port, outside }: Packets["knock"],
): Promise<void> {
  if (outside === true) {
    await answers(address, port);
    return;
  }
  const enter = ["netns", "exec", member.namespace ?? "", requireProgram("bash")];
  const script = `exec 3<>/dev/tcp/${address}/${port}`;
  await execute(requireProgram("ip"), [...enter, "-c", script], { timeout: KNOCK_MS }).catch(
    () => "",
  );
}

/** Does anything come back from there, if only a refusal? Asked from this machine, outside the hosts. */
export const answers = (host: string, port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host, port, timeout: KNOCK_MS });
    const done = (answered: boolean): void => {
      socket.destroy();
      resolve(answered);
    };
    socket.once("connect", () => done(true)).once("timeout", () => done(false));
    socket.once("error", (error: NodeJS.ErrnoException) => done(error.code === "ECONNREFUSED"));
  });
