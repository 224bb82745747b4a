// Was this data directory last used by this host, in these namespaces (R45)?
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { readIfPresent, writeDurably } from "./durable-file.ts";

export interface HostIdentity {
  readonly bootId: string;
  readonly pidNamespace: string;
  readonly ipcNamespace: string;
  readonly hostId: string;
}

export type IdentityVerdict =
  /** No record yet. */
  | "first"
  | "same"
  /** This host after a boot: nothing of the old server can be alive. */
  | "rebooted"
  /** This boot, but other namespaces: pids and shared memory of the old server cannot be seen from here. */
  | "other-namespaces"
  | "other-host";

export interface IdentitySources {
  readonly procRoot?: string;
  readonly machineIdFile?: string;
  readonly hostName?: () => string;
}

export const HOST_IDENTITY_NAME = "host.json";

export function readHostIdentity(sources: IdentitySources = {}): HostIdentity {
  const proc = sources.procRoot ?? "/proc";
  return {
    bootId: readFileSync(join(proc, "sys/kernel/random/boot_id"), "utf8").trim(),
    pidNamespace: readlinkSync(join(proc, "self/ns/pid")),
    ipcNamespace: readlinkSync(join(proc, "self/ns/ipc")),
    hostId: readMachineId(sources),
  };
}

export function judgeHostIdentity(
  recorded: HostIdentity | undefined,
  current: HostIdentity,
): IdentityVerdict {
  if (recorded === undefined) return "first";
  if (recorded.bootId !== current.bootId) {
    return recorded.hostId === current.hostId ? "rebooted" : "other-host";
  }
  const isSameSpace =
    recorded.pidNamespace === current.pidNamespace &&
    recorded.ipcNamespace === current.ipcNamespace;
  return isSameSpace ? "same" : "other-namespaces";
}

export async function readRecordedIdentity(stateDir: string): Promise<HostIdentity | undefined> {
  const text = await readIfPresent(join(stateDir, HOST_IDENTITY_NAME));
  if (text === undefined) return undefined;
  try {
    const raw = JSON.parse(text) as Partial<HostIdentity>;
    const { bootId = "", pidNamespace = "", ipcNamespace = "", hostId = "" } = raw;
    return { bootId, pidNamespace, ipcNamespace, hostId };
  } catch {
    // A damaged record names no host: treated like a foreign one, which asks a person.
    return { bootId: "", pidNamespace: "", ipcNamespace: "", hostId: "" };
  }
}

export async function recordIdentity(stateDir: string, identity: HostIdentity): Promise<void> {
  await writeDurably(join(stateDir, HOST_IDENTITY_NAME), `${JSON.stringify(identity)}\n`);
}

/** Containers often have no machine id of their own; their name is the next best thing. */
function readMachineId(sources: IdentitySources): string {
  try {
    const id = readFileSync(sources.machineIdFile ?? "/etc/machine-id", "utf8").trim();
    if (/^[0-9a-f]{32}$/.test(id)) return id;
  } catch {
    // Falls through to the name.
  }
  return `name:${(sources.hostName ?? hostname)()}`;
}
