// Which faults are measured, and what must each of them cost at most?
import { setTimeout as sleep } from "node:timers/promises";
import type { Ms } from "../../model/time.ts";
import { etcdLeader, moveEtcdLeader, waitForEtcd } from "../etcd.ts";
import { FAULTS } from "../faults.ts";
import { primaryOf, waitForHealthy, waitForPrimary } from "../health.ts";
import { type Measurement, measure } from "../measure.ts";
import { type FaultOptions, USUAL_FAULT } from "../order.ts";
import { USUAL_TIMINGS } from "../patroni.ts";
import type { LabRecord, Net } from "../record.ts";
import { takeOver, wayBack } from "./take-over.ts";

/** What a case needs of its lab; cases with the same needs share one. */
export interface LabNeeds {
  readonly ttlSeconds: number;
  readonly net: Net;
  readonly set: Readonly<Record<string, string>>;
  readonly routers?: number;
  /** Patroni's agents run it, from Debian's package, with the timings that its users have. */
  readonly agents?: "patroni";
}

export interface Case {
  readonly id: string;
  readonly title: string;
  readonly needs: LabNeeds;
  /** What issue and reference promise, for the table. */
  readonly bound: string;
  /** A run with everything around it, roughly, for the estimate. */
  readonly takesSeconds: number;
  /** One run on a healthy lab; it need not leave a healthy one. */
  readonly run: (lab: LabRecord) => Promise<Measurement>;
  /** The figure of a run, when it is not the longest pause. */
  readonly figure?: (measurement: Measurement) => Ms;
}

const USUAL: LabNeeds = { ttlSeconds: 10, net: "loopback", set: {} };
const FAST: LabNeeds = { ...USUAL, ttlSeconds: 5 };
/** Every node is a host of its own, with a network that can be cut. */
const HOSTS: LabNeeds = { ...USUAL, net: "namespaces" };
const PATRONI: LabNeeds = { ...USUAL, ttlSeconds: USUAL_TIMINGS.ttl, agents: "patroni" };
const FAILSAFE: LabNeeds = { ...USUAL, set: { failsafe_mode: "true" } };

const HEAL_LIMIT_MS: Ms = 180_000;
const ETCD_LIMIT_MS: Ms = 30_000;
/** How long the store stays away: longer than every lease. */
const STORE_AWAY_TTLS = 2;
const STORE_AWAY_LONG_MS: Ms = 60_000;

const make = (verb: string, options: Partial<FaultOptions> = {}) => {
  return async (lab: LabRecord, node: string): Promise<void> => {
    await FAULTS[verb]?.make({ lab, node, options: { ...USUAL_FAULT, ...options } });
  };
};

/** A fault on the primary, watched for so many ttls at least. */
const onPrimary =
  (verb: string, watchTtls: number, more: Partial<FaultOptions> & { probe?: boolean } = {}) =>
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

/** Every member of the store dies and comes back. Answers when the store could be asked again, from its death. */
async function withStoreAway(lab: LabRecord, awayMs: Ms): Promise<Measurement & { backMs: Ms }> {
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
  return { ...measurement, backMs };
}

/** The store's own start is not ours: counted is from its first good answer on. */
async function storeDownAndBack(lab: LabRecord): Promise<Measurement> {
  const { backMs, ...measurement } = await withStoreAway(
    lab,
    STORE_AWAY_TTLS * lab.ttlSeconds * 1000,
  );
  return { ...measurement, pauseMs: Math.max(0, Math.round(measurement.pauseToMs - backMs)) };
}

const switchover = (lab: LabRecord): Promise<Measurement> =>
  measure(lab, { fault: () => make("switchover")(lab, ""), watchMs: 2_000 });

/** After the failover the dead host is started again; counted is from there until all members stream. */
async function oldPrimaryReturns(lab: LabRecord): Promise<Measurement> {
  const measurement = await onPrimary("kill-node", 0.3)(lab);
  const since = performance.now();
  await make("start-node")(lab, measurement.before.primary);
  await waitForHealthy(lab, HEAL_LIMIT_MS);
  return { ...measurement, pauseMs: Math.round(performance.now() - since) };
}

export const CASES: readonly Case[] = [
  {
    id: "switchover",
    title: "switchover",
    needs: USUAL,
    bound: "≤ 0.8 s / ≤ 1.5 s",
    takesSeconds: 10,
    run: switchover,
  },
  {
    id: "postmaster",
    title: "postmaster killed (SIGKILL)",
    needs: USUAL,
    bound: "≤ 1.5 s / ≤ 3 s",
    takesSeconds: 15,
    run: onPrimary("kill-postmaster", 0.3),
  },
  {
    id: "host-10",
    title: "host death, ttl 10",
    needs: USUAL,
    bound: "≤ 9.5 s / ≤ 11.5 s",
    takesSeconds: 25,
    run: onPrimary("kill-node", 0.3),
  },
  {
    id: "host-store-10",
    title: "host death, ttl 10, it carried the store's leader",
    needs: USUAL,
    bound: "≤ 9.5 s / ≤ 11.5 s",
    takesSeconds: 25,
    run: hostWithStoreLeader,
  },
  {
    id: "agent-killed",
    title: "agent killed and not restarted",
    needs: USUAL,
    bound: "never two writers",
    takesSeconds: 25,
    run: onPrimary("kill-agent", 1.3, { probe: true }),
  },
  {
    id: "agent-stopped",
    title: "agent stopped for long",
    needs: USUAL,
    bound: "never two writers",
    takesSeconds: 25,
    run: onPrimary("stop-agent", 1.3, { probe: true }),
  },
  {
    id: "agent-restarted",
    title: "agent killed, restarted after 2 s",
    needs: USUAL,
    bound: "none",
    takesSeconds: 20,
    run: onPrimary("restart-agent", 1.3),
  },
  {
    id: "store",
    title: "store down and back: from its first answer to the first write",
    needs: USUAL,
    bound: "≤ 3 s",
    takesSeconds: 35,
    run: storeDownAndBack,
  },
  {
    id: "hung",
    title: "hung postmaster (SIGSTOP)",
    needs: USUAL,
    bound: "≤ 15 s",
    takesSeconds: 35,
    run: onPrimary("stop-postmaster", 2),
  },
  {
    id: "rejoin",
    title: "old primary back as a standby after failover: from its start until it streams",
    needs: USUAL,
    bound: "≤ 10 s",
    takesSeconds: 25,
    run: oldPrimaryReturns,
  },
  {
    id: "host-5",
    title: "host death, ttl 5",
    needs: FAST,
    bound: "≤ 5.3 s / ≤ 6.8 s",
    takesSeconds: 20,
    run: onPrimary("kill-node", 0.3),
  },
  {
    id: "host-store-5",
    title: "host death, ttl 5, it carried the store's leader",
    needs: FAST,
    bound: "≤ 5.3 s / ≤ 6.8 s",
    takesSeconds: 20,
    run: hostWithStoreLeader,
  },
  {
    id: "silent",
    title: "silent host death (no reset packets), its store member with it",
    needs: HOSTS,
    bound: "≤ 11 s / ≤ 14 s",
    takesSeconds: 35,
    run: onPrimary("kill-node", 0.3, { silent: true }),
  },
  {
    id: "partition",
    title: "primary cut from store and peers: how long it still acknowledges",
    needs: HOSTS,
    bound: "≤ 3.5 s",
    takesSeconds: 35,
    run: onPrimary("cut", 1.5, { links: ["cluster"], probe: true }),
    figure: ({ stillAcknowledgedMs }) => stillAcknowledgedMs ?? 0,
  },
  {
    id: "failsafe",
    title: "store down 60 s, failsafe on",
    needs: FAILSAFE,
    bound: "none",
    takesSeconds: 80,
    run: (lab) => withStoreAway(lab, STORE_AWAY_LONG_MS),
  },
  {
    id: "take-over",
    title: "a cluster of Patroni 3.0.2 taken over, all steps",
    needs: PATRONI,
    bound: "≤ 3 s",
    takesSeconds: 75,
    run: takeOver,
  },
  {
    id: "way-back",
    title: "and given back to Patroni, all steps",
    needs: PATRONI,
    bound: "≤ 3 s",
    takesSeconds: 75,
    run: wayBack,
  },
];

/** For the log of a run: who is what at its beginning. */
export async function scene(lab: LabRecord): Promise<string> {
  const [primary, leader] = await Promise.all([primaryOf(lab), etcdLeader(lab)]);
  return `primary ${primary?.member.name ?? "?"}, store led by ${leader?.name ?? "?"}`;
}
