// What does a lab consist of? Written before anything is started, so that `lab down` always knows.
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { AppError } from "../model/error.ts";

export type Net = "loopback" | "namespaces";

export interface LabMember {
  readonly name: string;
  /** As clients reach it from this machine. */
  readonly address: string;
  /** As the other members reach it; the same on loopback. */
  readonly clusterAddress: string;
  readonly port: number;
  readonly restPort: number;
  readonly apiUrl: string;
  readonly configFile: string;
  readonly dsn: string;
  readonly dir: string;
  readonly dataDir: string;
  readonly socketDir: string;
  readonly stateDir: string;
  readonly log: string;
  readonly namespace: string | undefined;
}

/** A host without PostgreSQL: clients come in through its pooler or its balancer. */
export interface LabRouter {
  readonly name: string;
  /** As clients reach it from this machine. */
  readonly address: string;
  /** As the members reach it; the same on loopback. */
  readonly clusterAddress: string;
  readonly restPort: number;
  readonly apiUrl: string;
  readonly configFile: string;
  /** Names and passwords for the pooler. */
  readonly usersFile: string;
  readonly dir: string;
  /** The programs' and the agent's own files, among them sockets, whose paths must be short. */
  readonly runDir: string;
  readonly log: string;
  readonly namespace: string | undefined;
  /** Connection strings of the pooler's logical databases: one for each route. */
  readonly pooled: LabRoutes;
  /** Connection strings of the balancer's ports. */
  readonly balanced: LabRoutes;
  /** The balancer's statistics page. */
  readonly statsUrl: string;
  readonly ports: Readonly<Record<"pooled" | "write" | "read" | "report" | "stats", number>>;
}

export interface LabRoutes {
  readonly write: string;
  readonly read: string;
  readonly report: string;
}

export interface LabEtcd {
  readonly name: string;
  /** The member on whose host it lives, if it has none of its own. */
  readonly host: string | undefined;
  readonly address: string;
  readonly clientUrl: string;
  readonly peerUrl: string;
  readonly dir: string;
  readonly log: string;
  readonly namespace: string | undefined;
}

/** The registry's file and `lab.json` in the lab's directory hold this same record. */
export interface LabRecord {
  readonly name: string;
  readonly scope: string;
  readonly dir: string;
  readonly net: Net;
  readonly ttlSeconds: number;
  readonly members: readonly LabMember[];
  readonly etcd: readonly LabEtcd[];
  readonly routers: readonly LabRouter[];
  /** All members in one connection string that finds the primary. */
  readonly dsn: string;
  readonly user: string;
  readonly password: string;
  /** Owner of the server processes: `postgres` when root made the lab, else nobody in particular. */
  readonly osUser: string | undefined;
  /** Set when the lab was healthy once: a record without it is of a lab that is being made, or half made. */
  readonly readyAt: string | undefined;
  /** Members' directories are file systems of this size (`--disk`), which can be filled. */
  readonly diskMegabytes: number | undefined;
  /** Only one in a file can be slow (`--disk-kind`). */
  readonly diskKind: "memory" | "file";
  /** Backups and drills run by themselves (`--schedules`). */
  readonly schedules?: boolean;
}

/** Where labs are registered, so that the command line finds the only running one. */
export const registryDir = (): string =>
  join(process.env["XDG_RUNTIME_DIR"] ?? "/tmp", "understudy-labs");

const registryFile = (name: string): string => join(registryDir(), `${name}.json`);

/** The labs that this user registered. Files of other users are not believed. */
export function registeredLabs(): readonly LabRecord[] {
  if (!existsSync(registryDir())) return [];
  return readdirSync(registryDir())
    .filter((file) => file.endsWith(".json"))
    .map((file) => readRecord(join(registryDir(), file)))
    .filter((record) => record !== undefined);
}

/** Takes a name: fails when another lab of this name is registered. */
export function registerLab(record: LabRecord): void {
  mkdirSync(registryDir(), { recursive: true });
  // In /tmp every user has labs, and nobody touches those of others.
  if (statSync(registryDir()).uid === process.getuid?.()) chmodSync(registryDir(), 0o1777);
  const file = registryFile(record.name);
  try {
    writeFileSync(file, print(record), { mode: 0o600, flag: "wx" });
  } catch (error) {
    throw new AppError(
      "LAB_FAILED",
      `register the lab ${record.name}`,
      `cannot write ${file}`,
      error,
    );
  }
  writeInPlace(join(record.dir, "lab.json"), record);
}

/** Writes a changed record to both of its places. */
export function updateLab(record: LabRecord): void {
  writeInPlace(join(record.dir, "lab.json"), record);
  writeInPlace(registryFile(record.name), record);
}

export function unregisterLab(name: string): void {
  rmSync(registryFile(name), { force: true });
}

export interface LabChoice {
  readonly name?: string | undefined;
  readonly dir?: string | undefined;
}

/** The lab that is meant: by name, by directory, or the only one there is. */
export function findLab({ name, dir }: LabChoice): LabRecord | undefined {
  if (dir !== undefined) return readRecord(join(dir, "lab.json"));
  const labs = registeredLabs();
  if (name !== undefined) return labs.find((lab) => lab.name === name);
  if (labs.length > 1) {
    const names = labs.map((lab) => lab.name).join(", ");
    throw new AppError("LAB_NOT_FOUND", "choose a lab", `there are ${names}; say --name`);
  }
  return labs[0];
}

/** The lab that is meant, or the error that there is none. */
export function requireLab(choice: LabChoice): LabRecord {
  const lab = findLab(choice);
  if (lab !== undefined) return lab;
  const meant = choice.name ?? choice.dir;
  const why = meant === undefined ? "none is registered" : `none is known as ${meant}`;
  throw new AppError("LAB_NOT_FOUND", "find the lab", why);
}

/** The member of this name; an unknown name is an error, never somebody else. */
export function requireMember(lab: LabRecord, name: string): LabMember {
  const member = lab.members.find((m) => m.name === name);
  if (member !== undefined) return member;
  const names = lab.members.map((m) => m.name).join(", ");
  throw new AppError("LAB_NOT_FOUND", `find the node ${name}`, `the nodes are ${names}`);
}

function readRecord(file: string): LabRecord | undefined {
  try {
    if (statSync(file).uid !== process.getuid?.()) return undefined;
    const record = JSON.parse(readFileSync(file, "utf8")) as LabRecord;
    // A lab of an older version had no routers.
    return { ...record, routers: record.routers ?? [] };
  } catch {
    return undefined;
  }
}

function writeInPlace(file: string, record: LabRecord): void {
  const next = `${file}.${process.pid}`;
  writeFileSync(next, print(record), { mode: 0o600 });
  renameSync(next, file);
}

const print = (record: LabRecord): string => `${JSON.stringify(record, null, 2)}\n`;
