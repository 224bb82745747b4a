// How does a link become slow? A token bucket at both of its ends: in the host, and at the bridge.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { hostNumber, type Link, plugOf } from "./namespaces.ts";
import { requireProgram } from "./programs.ts";
import type { LabMember, LabRecord } from "./record.ts";
import { inside } from "./walls.ts";

/** A queue of this much time; what does not fit is dropped, as a router would. */
const LONGEST_QUEUE = "400ms";
const BURST = "16kb";

/** Lets at most so many kilobits a second through the link, each way. */
export async function slowLink(
  lab: LabRecord,
  member: LabMember,
  { link, kbit }: { readonly link: Link; readonly kbit: number },
): Promise<void> {
  const bucket = ["root", "tbf", "rate", `${kbit}kbit`, "burst", BURST, "latency", LONGEST_QUEUE];
  await inside(member, "tc", ["qdisc", "replace", "dev", link, ...bucket]);
  await outside(["qdisc", "replace", "dev", plugOf(lab.name, link, hostNumber(member)), ...bucket]);
}

/** Gives a link its speed back; that it has it is fine. */
export async function freeLink(lab: LabRecord, member: LabMember, link: Link): Promise<void> {
  if (!(await inside(member, "tc", ["qdisc", "show", "dev", link])).includes(" tbf ")) return;
  await inside(member, "tc", ["qdisc", "delete", "dev", link, "root"]);
  await outside(["qdisc", "delete", "dev", plugOf(lab.name, link, hostNumber(member)), "root"]);
}

/** How many packets a host's slow links have held back or dropped. */
export async function slowedPackets(member: LabMember): Promise<number | undefined> {
  const told = await inside(member, "tc", ["-s", "qdisc", "show"]);
  const buckets = [...told.matchAll(/ tbf [^]*?dropped (\d+), overlimits (\d+)/g)];
  if (buckets.length === 0) return undefined;
  return buckets.reduce((sum, [, dropped, held]) => sum + Number(dropped) + Number(held), 0);
}

async function outside(args: readonly string[]): Promise<void> {
  await promisify(execFile)(requireProgram("tc"), [...args]);
}
