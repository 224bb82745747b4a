// Which running processes belong to a lab, and what is each of them?
//
// Nothing is remembered: a lab's processes are known by what they work on. A process that merely reads
// something of the lab (a person's `tail`, `psql` or editor) is not the lab's.
import { basename } from "node:path";
import { type Process, processes } from "./processes.ts";
import type { LabRecord } from "./record.ts";

export type LabRole =
  | "agent"
  | "patroni"
  | "fence"
  | "postmaster"
  | "backend"
  | "tool"
  | "relay"
  | "etcd"
  | "pgbouncer"
  | "releaser"
  | "vault"
  | "haproxy";

export interface Belonging {
  readonly process: Process;
  readonly role: LabRole;
  /** The member, etcd member or router. */
  readonly node: string;
}

/** A fence calls itself by this and its data directory. */
const FENCE_TITLE = "understudy-fence ";

/** Between the program and its script stand Node's own options. */
const MOST_FLAGS = 8;

/** Which of the bundles does what; the agent is one of several names in tests. */
const ROLES: Readonly<Record<string, LabRole>> = {
  "fence.mjs": "fence",
  "releaser.mjs": "releaser",
  "worker.mjs": "tool",
  "vault.mjs": "vault",
  "lab.mjs": "relay",
};

/** Below a node's state directory; see `drillRoot`. */
const DRILL_FOLDER = "/server/drill/";

const TOOLS = new Set([
  "initdb",
  "pg_amcheck",
  "pg_basebackup",
  "pg_checksums",
  "pg_rewind",
  "pg_waldump",
  "pg_controldata",
  "pg_ctl",
  "pg_verifybackup",
  "pg_receivewal",
]);

/** Every living process of this lab. */
export function belongings(lab: LabRecord): readonly Belonging[] {
  const all = processes();
  return all
    .filter(({ pid }) => pid !== process.pid)
    .map((candidate) => belonging(lab, candidate))
    .filter((found) => found !== undefined);
}

export const belongingsOf = (lab: LabRecord, node: string): readonly Belonging[] =>
  belongings(lab).filter((found) => found.node === node);

/** What a process is to this lab; undefined when it is not its. */
export function belonging(lab: LabRecord, candidate: Process): Belonging | undefined {
  const role = roleOf(lab, candidate);
  if (role === undefined) return undefined;
  const node = nodeOf(lab, candidate, role);
  return node === undefined ? undefined : { process: candidate, role, node };
}

function roleOf(lab: LabRecord, { args, cwd, name }: Process): LabRole | undefined {
  const [title = ""] = args;
  if (title.startsWith(FENCE_TITLE)) return "fence";
  const script = args.slice(0, MOST_FLAGS + 2).find((arg) => arg.startsWith(`${lab.dir}/bin/`));
  // Before it has taken its title, a fence looks like this.
  if (script !== undefined) return ROLES[basename(script)] ?? "agent";
  // A script in a language whose program comes first.
  if (args.slice(0, 2).some((arg) => basename(arg) === "patroni")) return "patroni";
  const program = basename(title);
  if (program === "etcd" || program === "pgbouncer" || program === "haproxy") return program;
  if (TOOLS.has(program)) return "tool";
  if (name !== "postgres" || cwd === undefined) return undefined;
  // A copy that a drill has started is no server of the cluster.
  if (isCopy(cwd)) return "tool";
  // A backend has rewritten its arguments to one text such as "postgres: n1: checkpointer".
  return title.startsWith("postgres:") ? "backend" : "postmaster";
}

const isCopy = (cwd: string | undefined): boolean => cwd?.includes(DRILL_FOLDER) === true;

/** Servers are known by the folder they work in, the others by the paths in their arguments. */
function nodeOf(lab: LabRecord, { args, cwd }: Process, role: LabRole): string | undefined {
  const places = [...lab.members, ...lab.etcd, ...lab.routers];
  const isServer = role === "postmaster" || role === "backend";
  const evidence = isServer || isCopy(cwd) ? [cwd ?? ""] : args.flatMap(pathsIn);
  return places.find((place) => {
    const inside = [
      place.dir,
      ...("stateDir" in place ? [place.stateDir] : []),
      ...("runDir" in place ? [place.runDir] : []),
    ];
    return evidence.some((path) => inside.some((dir) => `${path}/`.startsWith(`${dir}/`)));
  })?.name;
}

/** An argument may be a path, `--option=path`, or a title with a path at its end. */
const pathsIn = (arg: string): readonly string[] => [
  arg,
  arg.replace(/^[^=]*=/, ""),
  arg.replace(FENCE_TITLE, ""),
];
