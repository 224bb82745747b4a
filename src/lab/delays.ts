// How do packets take longer? Every connection between a host and the others goes through relays that hold
// each piece back; rules of iptables in the hosts' own namespaces lead there.
import { join } from "node:path";
import type { Ms } from "../model/time.ts";
import { belongings } from "./belongings.ts";
import { startDaemon } from "./daemon.ts";
import { signalProcess } from "./processes.ts";
import type { LabMember, LabRecord } from "./record.ts";
import { printRoute, type Route } from "./relay.ts";
import { waitFor } from "./wait-until.ts";
import { buildWall, hostOf, inside, removeWall, restoreRules, wallAround } from "./walls.ts";

/** Nobody else on these hosts is this user, so a relay's own connections are known by it. */
const RELAY_USER = { name: "nobody", uid: 65_534, gid: 65_534 } as const;
const FIRST_PORT = 20_000;
const CHAIN = "delay";
const BREAK = "break";
const LIMIT_MS: Ms = 5_000;

/** Delays everything between a host and the others, each way. Returns when a connection has met a relay. */
export async function delayHost(lab: LabRecord, node: string, delayMs: Ms): Promise<void> {
  await endDelays(lab);
  const host = hostOf(lab, node);
  const others = lab.members.filter(({ name }) => name !== node);
  const ways = [
    { from: host, routes: routesTo(lab, others) },
    ...others.map((other) => ({ from: other, routes: routesTo(lab, [host]) })),
  ];
  for (const { from, routes } of ways) await startRelay(lab, from, { routes, delayMs });
  // Only new connections find the relay, so those that stand are broken, and all at once.
  const packets = wallAround(lab, host);
  await buildWall(host, { name: BREAK, packets, way: "both", fate: "closed" });
  try {
    for (const { from, routes } of ways) await leadTo(from, routes);
  } finally {
    await removeWall(host, BREAK);
  }
  const isMet = async (): Promise<boolean> => (await relayedBy(host)) > 0;
  await waitFor(`a connection of ${node} to be delayed`, isMet, { limitMs: LIMIT_MS });
}

/** Ends all delays of a lab; connections through a relay end with it. That there is none is fine. */
export async function endDelays(lab: LabRecord): Promise<void> {
  const relays = belongings(lab).filter(({ role }) => role === "relay");
  for (const member of relays.length === 0 ? [] : lab.members) {
    if (!(await inside(member, "iptables-save", ["-t", "nat"])).includes(`:${CHAIN} `)) continue;
    await restoreRules(member, "nat", [`-D OUTPUT -j ${CHAIN}`, `-F ${CHAIN}`, `-X ${CHAIN}`]);
  }
  for (const { process } of relays) signalProcess(process, "SIGKILL");
}

const routesTo = (lab: LabRecord, hosts: readonly LabMember[]): readonly Route[] =>
  hosts
    .flatMap((host) => placesOf(lab, host))
    .map((to, index) => ({ port: FIRST_PORT + index, to }));

async function startRelay(
  lab: LabRecord,
  member: LabMember,
  { routes, delayMs }: { readonly routes: readonly Route[]; readonly delayMs: Ms },
): Promise<void> {
  await startDaemon({
    program: process.execPath,
    // The folder says whose relay it is.
    args: [
      join(lab.dir, "bin", "lab.mjs"),
      ...["relay", "--of", member.dir, "--delay", String(delayMs)],
      ...routes.map(printRoute),
    ],
    cwd: lab.dir,
    log: join(lab.dir, `relay-${member.name}.log`),
    account: RELAY_USER,
    namespace: member.namespace,
  });
  const last = routes.at(-1)?.port ?? FIRST_PORT;
  const listens = (): Promise<boolean> =>
    inside(member, "bash", ["-c", `exec 3<>/dev/tcp/127.0.0.1/${last}`]).then(
      () => true,
      () => false,
    );
  await waitFor(`the relay of ${member.name} to listen`, listens, { limitMs: LIMIT_MS });
}

const leadTo = (member: LabMember, routes: readonly Route[]): Promise<void> =>
  restoreRules(member, "nat", [
    `:${CHAIN} - [0:0]`,
    `-A ${CHAIN} -m owner --uid-owner ${RELAY_USER.uid} -j RETURN`,
    ...routes.map(
      ({ port, to }) =>
        `-A ${CHAIN} -p tcp -d ${to.host} --dport ${to.port} -j REDIRECT --to-ports ${port}`,
    ),
    `-A OUTPUT -j ${CHAIN}`,
  ]);

/** Everything that listens on a host: server, REST interface, and its member of the store. */
function placesOf(lab: LabRecord, { name, clusterAddress, port, restPort }: LabMember) {
  const stores = lab.etcd
    .filter(({ host }) => host === name)
    .flatMap(({ clientUrl, peerUrl }) => [new URL(clientUrl), new URL(peerUrl)]);
  return [
    ...[port, restPort].map((own) => ({ host: clusterAddress, port: own })),
    ...stores.map(({ hostname, port: own }) => ({ host: hostname, port: Number(own) })),
  ];
}

/** How many connections of this host have been led through its relay. */
export async function relayedBy(member: LabMember): Promise<number> {
  const rules = await inside(member, "iptables-save", ["-c", "-t", "nat"]);
  return [...rules.matchAll(/^\[(\d+):\d+\] -A delay .* REDIRECT/gm)]
    .map(([, count]) => Number(count))
    .reduce((sum, count) => sum + count, 0);
}
