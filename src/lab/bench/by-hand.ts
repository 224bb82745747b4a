// The same PgBouncer and HAProxy as somebody sets them up by hand: what our own are compared with.
import { type ChildProcess, spawn } from "node:child_process";
import { chownSync, closeSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Ms } from "../../model/time.ts";
import { freePorts } from "../addresses.ts";
import { superuser } from "../health.ts";
import { APP_DATABASE } from "../layout.ts";
import { usersText } from "../node-file.ts";
import { makeOwned } from "../nodes.ts";
import { requireProgram, serverAccount } from "../programs.ts";
import type { LabMember, LabRecord, LabRouter } from "../record.ts";
import { Session, type Target } from "../session.ts";
import { waitFor } from "../wait-until.ts";

export interface ByHand {
  readonly pooler: Target;
  readonly balancer: Target;
  close(): Promise<void>;
}

const START_LIMIT_MS: Ms = 10_000;

/** Starts both on the router's host, on ports of their own; PgBouncer leads to the primary of now. */
export async function startByHand(
  lab: LabRecord,
  router: LabRouter,
  primary: LabMember,
): Promise<ByHand> {
  const dir = join(router.runDir, "by-hand");
  makeOwned(dir);
  const { pooled, write } = await freePorts([router.address]);
  const at = (name: string, port: number): Target => ({ name, address: router.address, port });
  const pooler = at("PgBouncer by hand", pooled);
  const balancer = at("HAProxy by hand", write);
  const own = (name: string, text: string): string => ownFile(join(dir, name), text);
  const ini = own("pgbouncer.ini", pgbouncerIni({ dir, pooler, primary }));
  own("users.txt", usersText(lab));
  const cfg = own("haproxy.cfg", haproxyCfg(lab, balancer));
  const children = [
    start("pgbouncer", [ini], join(dir, "pgbouncer.out")),
    start("haproxy", ["-f", cfg], join(dir, "haproxy.out")),
  ];
  const close = async (): Promise<void> => {
    await Promise.all(children.map(end));
  };
  try {
    for (const door of [pooler, balancer]) {
      await waitFor(`${door.name} to let clients in`, () => letsIn(lab, door), {
        limitMs: START_LIMIT_MS,
        why: () => `read ${dir}`,
      });
    }
    return { pooler, balancer, close };
  } catch (error) {
    await close();
    throw error;
  }
}

interface PoolerFile {
  readonly dir: string;
  readonly pooler: Target;
  readonly primary: LabMember;
}

/** Its own defaults, except for what must be alike: mode, pool, number of clients, passwords. */
const pgbouncerIni = ({ dir, pooler, primary }: PoolerFile): string => `\
[databases]
${APP_DATABASE} = host=${primary.address} port=${primary.port} dbname=${APP_DATABASE}
[pgbouncer]
listen_addr = ${pooler.address}
listen_port = ${pooler.port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = ${dir}/users.txt
pool_mode = transaction
default_pool_size = 20
max_client_conn = 2000
ignore_startup_parameters = extra_float_digits
logfile = ${dir}/pgbouncer.log
pidfile = ${dir}/pgbouncer.pid
`;

/** The recipe that is handed around for clusters whose agents answer health checks. */
const haproxyCfg = ({ members }: LabRecord, { address, port }: Target): string => `\
defaults
  mode tcp
  timeout connect 4s
  timeout client 30m
  timeout server 30m
listen primary
  bind ${address}:${port}
  option httpchk OPTIONS /primary
  http-check expect status 200
  default-server inter 3s fall 3 rise 2 on-marked-down shutdown-sessions
${members.map((m) => `  server ${m.name} ${m.address}:${m.port} check port ${m.restPort}`).join("\n")}
`;

function ownFile(path: string, text: string): string {
  writeFileSync(path, text, { mode: 0o600 });
  const account = serverAccount();
  if (account !== undefined) chownSync(path, account.uid, account.gid);
  return path;
}

/** A child, so that it ends with the measurement; its files lie in the lab, so `lab down` would find it too. */
function start(program: string, args: readonly string[], out: string): ChildProcess {
  const log = openSync(out, "w", 0o600);
  const account = serverAccount();
  const child = spawn(requireProgram(program), args, {
    stdio: ["ignore", log, log],
    ...(account === undefined ? {} : { uid: account.uid, gid: account.gid }),
  });
  child.once("error", () => undefined);
  closeSync(log);
  return child;
}

function end(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    child.once("exit", () => resolve());
    child.kill("SIGKILL");
  });
}

async function letsIn(lab: LabRecord, door: Target): Promise<boolean> {
  try {
    using session = await Session.open(door, { ...superuser(lab), database: APP_DATABASE });
    return (await session.value("SELECT 1")) === 1;
  } catch {
    return false;
  }
}
