// Drills as tasks: what is wished is checked here, the work is done in the room of drills.
import { keepProof, readProof, readProofs } from "../backup/drill-proofs.ts";
import { openShelf } from "../backup/open-shelf.ts";
import type { Shelf } from "../backup/shelf.ts";
import { openSigner } from "../backup/signing.ts";
import { keepVerdict } from "../backup/verify.ts";
import { performDrill } from "../drill/drill.ts";
import { remember } from "../drill/memory.ts";
import { sweepScratch } from "../drill/scratch.ts";
import type { DrillList, DrillProof, ReadProof } from "../model/drill.ts";
import { drillRoot } from "../model/settings-drill.ts";
import { isObject } from "../model/wire/json.ts";
import { named, targetIn } from "./backup-tasks.ts";
import type { Task, TaskContext } from "./task.ts";

const MOST_LISTED = 50;

export const runDrill: Task = async (context, input): Promise<DrillProof> => {
  const { settings, signal } = context;
  const { repo } = named(input, "repo");
  const { identityFile } = named(input, "identityFile");
  const shelf = await shelfFor(context, repo, identityFile);
  await shelf.claim();
  const to = isObject(input["to"]) ? targetIn(input["to"]) : ({ kind: "latest" } as const);
  const { id } = named(input, "id");
  const proof = await performDrill({ ...context, shelf, id, to });
  context.progress({ step: "signing and keeping the proof" });
  await keepProof(shelf.repo, { proof, signer: await openSigner(settings) }, signal);
  if (proof.outcome === "passed") await keepVerdict(shelf.repo, verdictIn(proof), signal);
  await remember(settings, proof);
  return proof;
};

/** Whoever restored it has read every byte of it back: whatever asks for that need not ask for drills. */
const verdictIn = ({ backup, endedAtMs }: DrillProof) => ({
  id: backup.id,
  atMs: endedAtMs,
  depth: "content" as const,
  outcome: "passed" as const,
  why: undefined,
});

export const listDrills: Task = async (context, input): Promise<DrillList> => {
  const shelf = await shelfFor(context, named(input, "repo").repo);
  const items = await readProofs({ ...context, shelf }, MOST_LISTED);
  return { repo: shelf.repo.name, items };
};

export const showDrill: Task = async (context, input): Promise<ReadProof> => {
  const shelf = await shelfFor(context, named(input, "repo").repo);
  return readProof({ ...context, shelf }, named(input, "id").id);
};

/** What a killed drill has left goes, when this agent starts again at the latest. */
export const sweepDrills: Task = async ({ settings: { postgres, backup } }) => ({
  items: await sweepScratch(drillRoot(postgres.stateDir, backup?.drill)),
});

const shelfFor = (
  { settings, cluster, signal }: TaskContext,
  repo: string | undefined,
  identityFile?: string,
): Promise<Shelf> => openShelf({ settings, cluster, repo, identityFile, signal });
