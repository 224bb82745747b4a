// What does the kernel say about this host? Read from /proc and /sys; nothing is changed.
import { readFileSync } from "node:fs";
import { totalmem } from "node:os";
import { run } from "../adapters/system/spawn.ts";
import type { HostFacts } from "../model/doctor/facts.ts";

const ASK_LIMIT_MS = 2_000;

export async function hostFacts(serverPid: number | undefined): Promise<HostFacts> {
  const memory = fields("/proc/meminfo");
  const pid = serverPid === undefined ? "self" : String(serverPid);
  return {
    memoryBytes: totalmem(),
    memoryLimitBytes: numberIn("/sys/fs/cgroup/memory.max"),
    swapBytes: (memory.get("SwapTotal") ?? 0) * 1024,
    swappiness: numberIn("/proc/sys/vm/swappiness") ?? 0,
    overcommitMemory: numberIn("/proc/sys/vm/overcommit_memory") ?? 0,
    transparentHugePages:
      /\[(\w+)\]/.exec(text("/sys/kernel/mm/transparent_hugepage/enabled"))?.[1] ?? "never",
    hugePagesFree: memory.get("HugePages_Free") ?? 0,
    isClockSynchronised: await isClockSynchronised(),
    openFilesLimit: openFilesLimit(text(`/proc/${pid}/limits`)),
    oomScoreAdjustment:
      serverPid === undefined ? undefined : numberIn(`/proc/${pid}/oom_score_adj`),
  };
}

/** The soft limit; undefined when it is not told. */
export function openFilesLimit(limits: string): number | undefined {
  const found = /^Max open files\s+(\d+|unlimited)/m.exec(limits)?.[1];
  if (found === undefined) return undefined;
  return found === "unlimited" ? Number.MAX_SAFE_INTEGER : Number(found);
}

/** systemd knows whoever keeps the clock; without it nobody is asked. */
async function isClockSynchronised(): Promise<boolean | undefined> {
  const args = ["show", "--property=NTPSynchronized", "--value"];
  const asked = run({ program: "timedatectl", args, timeoutMs: ASK_LIMIT_MS });
  const said = await asked.then(
    ({ stdout }) => stdout.trim(),
    () => "",
  );
  return said === "yes" || said === "no" ? said === "yes" : undefined;
}

function fields(file: string): ReadonlyMap<string, number> {
  const lines = text(file).matchAll(/^(\w+):\s+(\d+)/gm);
  return new Map([...lines].map(([, name = "", value]) => [name, Number(value)]));
}

function numberIn(file: string): number | undefined {
  const found = text(file).trim();
  return /^-?\d+$/.test(found) ? Number(found) : undefined;
}

function text(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
