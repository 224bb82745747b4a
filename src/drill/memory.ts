// What does this member know of its own drills, for its metrics and its doctor? One small file; the proofs are elsewhere.
import { join } from "node:path";
import { readIfPresent, writeDurably } from "../adapters/system/durable-file.ts";
import type { DrillProof } from "../model/drill.ts";
import { drillMemoryFile, parseDrillMemory } from "../model/drill-memory.ts";
import type { NodeSettings } from "../model/settings.ts";

export async function remember(settings: NodeSettings, proof: DrillProof): Promise<void> {
  const file = join(settings.postgres.stateDir, drillMemoryFile);
  const before = parseDrillMemory((await readIfPresent(file)) ?? "");
  const { id, outcome, begunAtMs, endedAtMs, rtoMs, rpo, repo } = proof;
  const lastPassedAtMs = outcome === "passed" ? endedAtMs : before?.lastPassedAtMs;
  const last = { id, outcome, begunAtMs, endedAtMs, repo, rtoMs, rpo };
  await writeDurably(file, `${JSON.stringify({ last, lastPassedAtMs })}\n`);
}
