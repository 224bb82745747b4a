// How is a lab made whole again, whatever was done to it?
import type { Ms } from "../model/time.ts";
import { belongings } from "./belongings.ts";
import { waitForEtcd } from "./etcd.ts";
import { FAULTS } from "./faults.ts";
import { waitForHealthy } from "./health.ts";
import { USUAL_FAULT } from "./order.ts";
import { signalProcess } from "./processes.ts";
import type { LabRecord } from "./record.ts";

const HEAL_LIMIT_MS: Ms = 180_000;
const ETCD_LIMIT_MS: Ms = 30_000;

/** Mends networks and disks, wakes what was stopped, starts what was killed, and waits until all is well. */
export async function heal(lab: LabRecord, limitMs: Ms = HEAL_LIMIT_MS): Promise<void> {
  const make = async (verb: string, node: string): Promise<void> => {
    await FAULTS[verb]?.make({ lab, node, options: USUAL_FAULT });
  };
  for (const { name } of lab.members) {
    if (lab.net === "namespaces") await make("heal", name);
    const hasDevice = lab.diskMegabytes !== undefined && lab.diskKind === "file";
    if (hasDevice) await make("mend-disk", name);
    if (lab.diskMegabytes !== undefined) await make("free-disk", name);
    if (hasDevice) await make("fast-disk", name);
    await make("fast-replay", name);
  }
  for (const { process } of belongings(lab)) {
    if (process.state === "T") signalProcess(process, "SIGCONT");
  }
  for (const { name } of lab.etcd) await make("restart-etcd", name);
  const agents = belongings(lab)
    .filter(({ role }) => role === "agent")
    .map(({ node }) => node);
  for (const { name } of lab.members) {
    if (!agents.includes(name)) await make("start-node", name);
  }
  await waitForEtcd(lab.etcd, ETCD_LIMIT_MS);
  await waitForHealthy(lab, limitMs);
}
