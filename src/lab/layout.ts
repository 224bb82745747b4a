// Who lives where? Names, addresses and folders of a lab, worked out before anything is made.
import { randomBytes } from "node:crypto";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { AppError } from "../model/error.ts";
import type { Ports } from "./addresses.ts";
import { hostAddress, type Subnets } from "./network.ts";
import type { LabEtcd, LabMember, LabRecord, LabRouter, LabRoutes, Net } from "./record.ts";

export interface LabOptions {
  readonly name: string;
  readonly dir: string;
  readonly nodes: number;
  readonly etcd: number;
  /** etcd members get hosts of their own instead of sharing the nodes'. */
  readonly etcdApart: boolean;
  /** Hosts with a pooler and a balancer in front of the nodes. */
  readonly routers: number;
  /** The node that is set apart for reports. */
  readonly report: string | undefined;
  readonly net: Net;
  readonly ttlSeconds: number;
  /** `key=value`: dynamic configuration when the key is one of its, else a server parameter. */
  readonly set: Readonly<Record<string, string>>;
  /** Another lab that this one follows as a second site. */
  readonly follows: Pick<LabRecord, "name" | "members" | "password"> | undefined;
  /** WAL and backups of all nodes go into repositories beside them. */
  readonly backup: boolean;
  /** Backups are made, drilled and expired by themselves, the first at once. */
  readonly schedules: boolean;
  readonly diskMegabytes: number | undefined;
  readonly diskKind: LabRecord["diskKind"];
  /** The routers measure availability by writes of their own. */
  readonly availability: boolean;
  /** How long a primary, and then its standbys, may take to appear. */
  readonly waitSeconds: number;
}

/** A lab as tests and measurements want it; people get a router too (`lab up`). */
export const USUAL_LAB = {
  name: "lab",
  nodes: 3,
  etcd: 3,
  etcdApart: false,
  routers: 0,
  report: undefined,
  net: "loopback",
  ttlSeconds: 10,
  set: {},
  follows: undefined,
  backup: false,
  schedules: false,
  diskMegabytes: undefined,
  diskKind: "memory",
  availability: false,
  waitSeconds: 120,
} as const satisfies Omit<LabOptions, "dir">;

const NAME = /^[a-z][a-z0-9-]{0,23}$/;
/** Unix socket paths end at 107 bytes, and a socket's name needs some of them. */
const LONGEST_SOCKET_DIR = 80;
/** A pooler tries its configuration in a folder of its own, with a socket two folders further down. */
const LONGEST_ROUTER_DIR = 64;
const SUPERUSER = "postgres";
/** The pooler's logical databases lead to this one. */
export const APP_DATABASE = "app";
/** Routers' hosts are numbered from here on. */
export const FIRST_ROUTER = 201;

/** Refuses what could not work, in words, before anything is made. */
export function checkOptions(options: LabOptions): void {
  const refuse = (why: string): never => {
    throw new AppError("LAB_OPTION", `plan the lab ${options.name}`, why);
  };
  if (!NAME.test(options.name)) {
    refuse("a name has up to 24 lower-case letters, digits and hyphens, and begins with a letter");
  }
  if (!inRange(options.nodes, 1, 9)) refuse("--nodes goes from 1 to 9");
  if (![1, 3, 5, 7].includes(options.etcd)) refuse("--etcd is 1, 3, 5 or 7: a majority must exist");
  if (!inRange(options.routers, 0, 9)) refuse("--routers goes from 0 to 9");
  if (options.follows !== undefined && options.routers > 0) {
    refuse("--routers is 0 with --follow: a lab that follows another one takes no writes");
  }
  const names = Array.from({ length: options.nodes }, (_, i) => `n${i + 1}`);
  if (options.report !== undefined && !names.includes(options.report)) {
    refuse(`--report is one of ${names.join(", ")}`);
  }
  if (!(options.ttlSeconds >= 5 && options.ttlSeconds <= 300)) refuse("--ttl goes from 5 to 300");
  if (!options.dir.startsWith("/")) refuse("--dir must be an absolute path");
  const root = process.getuid?.() === 0;
  if (options.net === "namespaces" && options.follows !== undefined) {
    refuse("--follow needs addresses on loopback: networks of two labs do not meet");
  }
  if (options.net === "namespaces" && !root) refuse("--net namespaces needs root");
  if (options.diskMegabytes !== undefined && !root) refuse("--disk needs root");
  if (options.diskMegabytes !== undefined && options.diskMegabytes < 256) {
    refuse("--disk needs at least 256 (megabytes)");
  }
}

/** Where a lab goes unless told: root's must be enterable by `postgres`, so not below /root. */
export function defaultDir(name: string): string {
  const chosen = process.env["UNDERSTUDY_LABS"];
  if (chosen !== undefined && chosen.startsWith("/")) return join(chosen, name);
  if (process.getuid?.() === 0) return join("/var/tmp/understudy-labs", name);
  const state = process.env["XDG_STATE_HOME"] ?? join(userInfo().homedir, ".local", "state");
  return join(state, "understudy", "labs", name);
}

export interface Places {
  readonly subnets: Subnets;
  readonly ports: Ports;
}

/** The whole lab as a record; nothing is made yet. */
export function layOut(options: LabOptions, { subnets, ports }: Places): LabRecord {
  // A copy has the roles of the other site, with their passwords.
  const password = options.follows?.password ?? randomBytes(12).toString("base64url");
  const hosts = Array.from({ length: options.nodes }, (_, i) => i + 1);
  const members = hosts.map((host) => layOutMember(options, { subnets, ports, host, password }));
  const everyone = members.map((m) => `${m.address}:${m.port}`).join(",");
  return {
    name: options.name,
    scope: `lab-${options.name}`,
    dir: options.dir,
    net: options.net,
    ttlSeconds: options.ttlSeconds,
    members,
    etcd: Array.from({ length: options.etcd }, (_, i) =>
      layOutEtcd(options, { subnets, ports, number: i + 1 }),
    ),
    routers: Array.from({ length: options.routers }, (_, i) =>
      layOutRouter(options, { subnets, ports, number: i + 1, password }),
    ),
    dsn: `${dsnOf(everyone, password)}?target_session_attrs=read-write`,
    user: SUPERUSER,
    password,
    osUser: undefined,
    readyAt: undefined,
    diskMegabytes: options.diskMegabytes,
    diskKind: options.diskKind,
  };
}

function layOutMember(
  { name: lab, dir: labDir, net }: LabOptions,
  { subnets, ports, host, password }: Places & { host: number; password: string },
): LabMember {
  const name = `n${host}`;
  const dir = join(labDir, name);
  const address = hostAddress(subnets.client, host);
  return {
    name,
    address,
    clusterAddress: hostAddress(subnets.cluster, host),
    port: ports.postgres,
    restPort: ports.rest,
    apiUrl: `http://${address}:${ports.rest}`,
    configFile: join(dir, "understudy.yml"),
    dsn: dsnOf(`${address}:${ports.postgres}`, password),
    dir,
    dataDir: join(dir, "data"),
    socketDir: runDirOf(lab, dir, name),
    stateDir: pathIsShort(dir) ? join(dir, "state") : join(runDirOf(lab, dir, name), "state"),
    log: join(dir, "agent.log"),
    namespace: net === "namespaces" ? subnets.namespaceOf(host) : undefined,
  };
}

function layOutEtcd(
  options: LabOptions,
  { subnets, ports, number }: Places & { number: number },
): LabEtcd {
  const shares = !options.etcdApart && number <= options.nodes;
  const host = shares ? number : 100 + number;
  const address = hostAddress(subnets.cluster, host);
  const dir = join(options.dir, `e${number}`);
  return {
    name: `e${number}`,
    host: shares ? `n${number}` : undefined,
    address,
    clientUrl: `http://${address}:${ports.client}`,
    peerUrl: `http://${address}:${ports.peer}`,
    dir,
    log: join(dir, "etcd.log"),
    namespace: options.net === "namespaces" ? subnets.namespaceOf(host) : undefined,
  };
}

function layOutRouter(
  options: LabOptions,
  { subnets, ports, number, password }: Places & { number: number; password: string },
): LabRouter {
  const host = FIRST_ROUTER - 1 + number;
  const name = `r${number}`;
  const dir = join(options.dir, name);
  const address = hostAddress(subnets.client, host);
  const { rest, pooled, write, read, report, stats } = ports;
  const routes = (to: (route: keyof LabRoutes) => string): LabRoutes => ({
    write: to("write"),
    read: to("read"),
    report: to("report"),
  });
  const names = {
    write: APP_DATABASE,
    read: `${APP_DATABASE}_ro`,
    report: `${APP_DATABASE}_report`,
  };
  return {
    name,
    address,
    clusterAddress: hostAddress(subnets.cluster, host),
    restPort: rest,
    apiUrl: `http://${address}:${rest}`,
    configFile: join(dir, "understudy.yml"),
    usersFile: join(dir, "users.txt"),
    dir,
    runDir: pathIsShort(dir, LONGEST_ROUTER_DIR)
      ? dir
      : join(tmpdir(), `understudy-${options.name}-${name}`),
    log: join(dir, "agent.log"),
    namespace: options.net === "namespaces" ? subnets.namespaceOf(host) : undefined,
    pooled: routes((route) => dsnOf(`${address}:${pooled}`, password, names[route])),
    balanced: routes((route) => dsnOf(`${address}:${ports[route]}`, password, APP_DATABASE)),
    statsUrl: `http://${address}:${stats}/`,
    ports: { pooled, write, read, report, stats },
  };
}

/** For sockets: beside the data when the path is short enough, else in the temporary folder. */
const runDirOf = (lab: string, dir: string, node: string): string =>
  pathIsShort(dir) ? join(dir, "run") : join(tmpdir(), `understudy-${lab}-${node}`);

const pathIsShort = (dir: string, longest = LONGEST_SOCKET_DIR): boolean =>
  Buffer.byteLength(dir) <= longest;

const dsnOf = (hosts: string, password: string, database = "postgres"): string =>
  `postgresql://${SUPERUSER}:${password}@${hosts}/${database}`;

const inRange = (n: number, low: number, high: number): boolean =>
  Number.isInteger(n) && n >= low && n <= high;
