// What runs in a lab now? One row a process.
import { belongings } from "./belongings.ts";
import { healthOf } from "./health.ts";
import type { LabRecord, LabRouter } from "./record.ts";

export interface LabProcess {
  readonly node: string;
  /** agent, fence, primary, standby, postgres (not answering), etcd, pgbouncer or haproxy. */
  readonly role: string;
  /** null when it should run and does not. */
  readonly pid: number | null;
  readonly state: "running" | "stopped" | "down";
  readonly address: string;
  readonly dsn: string | null;
  readonly directory: string;
  readonly log: string;
}

/** Every process that the lab should have, running or not. */
export async function labStatus(lab: LabRecord): Promise<readonly LabProcess[]> {
  const running = belongings(lab);
  const health = await healthOf(lab);
  const processOf = (node: string, role: string) => {
    const found = running.find((b) => b.node === node && b.role === role)?.process;
    const state = found?.state === "T" ? "stopped" : "running";
    return { pid: found?.pid ?? null, state: found === undefined ? "down" : state } as const;
  };
  const members = lab.members.flatMap((member) => {
    const role = health.find((h) => h.member.name === member.name)?.role ?? "down";
    const base = { node: member.name, log: member.log };
    return [
      {
        ...base,
        ...processOf(member.name, "postmaster"),
        role: role === "down" ? "postgres" : role,
        address: `${member.address}:${member.port}`,
        dsn: member.dsn,
        directory: member.dataDir,
      },
      {
        ...base,
        ...processOf(member.name, "agent"),
        role: "agent",
        address: member.apiUrl,
        dsn: null,
        directory: member.dir,
      },
      {
        ...base,
        ...processOf(member.name, "fence"),
        role: "fence",
        address: "none",
        dsn: null,
        directory: member.stateDir,
      },
    ];
  });
  const stores = lab.etcd.map((etcd) => ({
    node: etcd.name,
    ...processOf(etcd.name, "etcd"),
    role: "etcd",
    address: etcd.clientUrl,
    dsn: null,
    directory: etcd.dir,
    log: etcd.log,
  }));
  const routers = lab.routers.flatMap((router) => routerRows(router, processOf));
  return [...members, ...routers, ...stores];
}

type Found = Pick<LabProcess, "pid" | "state">;

/** An agent and the two programs that clients meet. */
function routerRows(
  router: LabRouter,
  processOf: (node: string, role: string) => Found,
): readonly LabProcess[] {
  const { name, address, ports, dir, runDir, log } = router;
  const row = (role: string, more: Pick<LabProcess, "address" | "dsn" | "directory" | "log">) => ({
    node: name,
    role,
    ...processOf(name, role),
    ...more,
  });
  return [
    row("agent", { address: router.apiUrl, dsn: null, directory: dir, log }),
    row("pgbouncer", {
      address: `${address}:${ports.pooled}`,
      dsn: router.pooled.write,
      directory: `${runDir}/pgbouncer`,
      log: `${runDir}/pgbouncer`,
    }),
    row("haproxy", {
      address: `${address}:${ports.write}`,
      dsn: router.balanced.write,
      directory: `${runDir}/haproxy`,
      log: `${runDir}/haproxy/haproxy.log`,
    }),
  ];
}
