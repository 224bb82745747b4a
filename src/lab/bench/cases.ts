// Which faults are measured, and what must each of them cost at most?
import { setTimeout as sleep } from "node:timers/promises";
import type { Ms } from "../../model/time.ts";
import { etcdLeader, moveEtcdLeader, waitForEtcd } from "../etcd.ts";
import { FAULTS } from "../faults.ts";
import { primaryOf, waitForPrimary } from "../health.ts";
import { type Measurement, measure } from "../measure.ts";
import { USUAL_FAULT } from "../order.ts";
import type { LabRecord } from "../record.ts";

export interface Case {
  readonly id: string;
  readonly title: string;
  readonly ttlSeconds: number;
  /** What issue and reference promise, for the table. */
  readonly bound: string;
  /** One run on a healthy lab; it need not leave a healthy one. */
  readonly run: (lab: LabRecord) => Promise<Measurement>;
  /** The figure of a run, when it is not the longest pause. */
  readonly figure?: (measurement: Measurement) => Ms;
}

const HEAL_LIMIT_MS: Ms = 180_000;
const ETCD_LIMIT_MS: Ms = 30_000;
/** How long the store stays away: longer than every lease. */
const STORE_AWAY_TTLS = 2;

const make = (verb: string, options: Partial<typeof USUAL_FAULT> = {}) => {
  return async (lab: LabRecord, node: string): Promise<void> => {
    await FAULTS[verb]?.make({ lab, node, options: { ...USUAL_FAULT, ...options } });
  };
};

/** A fault on the primary, watched for so many ttls at least. */
const onPrimary =
  (verb: string, watchTtls: number, more: { probe?: boolean; withEtcd?: boolean } = {}) =>
  async (lab: LabRecord): Promise<Measurement> => {
    const { member } = await waitForPrimary(lab, HEAL_LIMIT_MS);
    return measure(lab, {
      fault: () => make(verb, more)(lab, member.name),
      watchMs: watchTtls * lab.ttlSeconds * 1000,
      probe: more.probe ?? false,
    });
  };

/** The host that dies also carried the store's leader: the store has its own election meanwhile. */
async function hostWithStoreLeader(lab: LabRecord): Promise<Measurement> {
  const primary = await waitForPrimary(lab, HEAL_LIMIT_MS);
  const etcd = lab.etcd.find(({ host }) => host === primary.member.name);
  if (etcd !== undefined) await moveEtcdLeader(lab, etcd);
  return onPrimary("kill-node", 0.3, { withEtcd: true })(lab);
}

/** Every member of the store dies and comes back after more than a lease. */
async function storeAway(lab: LabRecord): Promise<Measurement> {
  const awayMs = STORE_AWAY_TTLS * lab.ttlSeconds * 1000;
  let backMs = 0;
  const fault = async (): Promise<void> => {
    const since = performance.now();
    await Promise.all(lab.etcd.map(({ name }) => make("kill-etcd")(lab, name)));
    await sleep(awayMs);
    await Promise.all(lab.etcd.map(({ name }) => make("restart-etcd")(lab, name)));
    await waitForEtcd(lab.etcd, ETCD_LIMIT_MS);
    backMs = performance.now() - since;
  };
  const measurement = await measure(lab, { fault, watchMs: awayMs });
  // The store's own start is not ours: counted is from its first good answer on.
  return { ...measurement, pauseMs: Math.max(0, Math.round(measurement.pauseToMs - backMs)) };
}

const switchover = (lab: LabRecord): Promise<Measurement> =>
  measure(lab, { fault: () => make("switchover")(lab, ""), watchMs: 2_000 });

export const CASES: readonly Case[] = [
  {
    id: "switchover",
    title: "switchover",
    ttlSeconds: 10,
    bound: "≤ 0.8 s / ≤ 1.5 s",
    run: switchover,
  },
  {
    id: "postmaster",
    title: "postmaster killed (SIGKILL)",
    ttlSeconds: 10,
    bound: "≤ 1.5 s / ≤ 3 s",
    run: onPrimary("kill-postmaster", 0.3),
  },
  {
    id: "host-10",
    title: "host death, ttl 10",
    ttlSeconds: 10,
    bound: "≤ 9.5 s / ≤ 11.5 s",
    run: onPrimary("kill-node", 0.3),
  },
  {
    id: "host-store-10",
    title: "host death, ttl 10, it carried the store's leader",
    ttlSeconds: 10,
    bound: "≤ 9.5 s / ≤ 11.5 s",
    run: hostWithStoreLeader,
  },
  {
    id: "agent-killed",
    title: "agent killed and not restarted",
    ttlSeconds: 10,
    bound: "never two writers",
    run: onPrimary("kill-agent", 1.3, { probe: true }),
  },
  {
    id: "agent-stopped",
    title: "agent stopped for long",
    ttlSeconds: 10,
    bound: "never two writers",
    run: onPrimary("stop-agent", 1.3, { probe: true }),
  },
  {
    id: "agent-restarted",
    title: "agent killed, restarted after 2 s",
    ttlSeconds: 10,
    bound: "none",
    run: onPrimary("restart-agent", 1.3),
  },
  {
    id: "store",
    title: "store down and back: from its first answer to the first write",
    ttlSeconds: 10,
    bound: "≤ 3 s",
    run: storeAway,
  },
  {
    id: "host-5",
    title: "host death, ttl 5",
    ttlSeconds: 5,
    bound: "≤ 5.3 s / ≤ 6.8 s",
    run: onPrimary("kill-node", 0.3),
  },
  {
    id: "host-store-5",
    title: "host death, ttl 5, it carried the store's leader",
    ttlSeconds: 5,
    bound: "≤ 5.3 s / ≤ 6.8 s",
    run: hostWithStoreLeader,
  },
];

/** For the log of a run: who is what at its beginning. */
export async function scene(lab: LabRecord): Promise<string> {
  const [primary, leader] = await Promise.all([primaryOf(lab), etcdLeader(lab)]);
  return `primary ${primary?.member.name ?? "?"}, store led by ${leader?.name ?? "?"}`;
}
