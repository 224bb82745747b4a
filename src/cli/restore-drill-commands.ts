// Commands for restore drills: restore a backup to see that it can be, and read what earlier ones proved.
import { resolve } from "node:path";
import type { Command } from "commander";
import pc from "picocolors";
import { printBytes, printSpan } from "../model/amounts.ts";
import type {
  DrillCheck,
  DrillList,
  DrillPhase,
  DrillProof,
  ReadProof,
  Signature,
} from "../model/drill.ts";
import type { TaskName } from "../model/worker.ts";
import { sourceIn } from "./base-backups.ts";
import { CliFailure, EXIT } from "./exit.ts";
import { runJob } from "./jobs.ts";
import { look, memberNamed } from "./rest.ts";
import { type TargetFlags, targetIn, withTargetFlags } from "./restore-target-flags.ts";
import { type Shared, targetOf } from "./shared.ts";
import { type Column, table } from "./table.ts";
import { print, printJsonText, width, wrap } from "./terminal.ts";

interface DrillFlags extends Shared, TargetFlags {
  readonly member?: string;
  readonly repo?: string;
  readonly backup?: string;
  readonly identity?: string;
}

/** A standby does it where there is one: it has nothing that anybody waits for. */
async function carryOut(
  flags: DrillFlags,
  task: TaskName,
  input: Readonly<Record<string, unknown>>,
): Promise<unknown> {
  const target = targetOf(flags);
  const status = await look(target);
  const { apiUrl } =
    flags.member === undefined ? sourceIn(status) : memberNamed(status, flags.member);
  return (await runJob(target, apiUrl, { task, input: { repo: flags.repo, ...input } })).result;
}

const asJson = (kind: string, value: object): object => ({
  apiVersion: "understudy/v1",
  ...value,
  kind,
});

async function runDrill(_: unknown, command: Command): Promise<void> {
  const flags = command.optsWithGlobals<DrillFlags>();
  const input = {
    id: flags.backup,
    to: targetIn(flags),
    ...(flags.identity === undefined ? {} : { identityFile: resolve(flags.identity) }),
  };
  const proof = (await carryOut(flags, "drill-run", input)) as DrillProof;
  if (flags.json === true) printJsonText(asJson("Drill", proof));
  else showProof(proof);
  failWhenFailed(proof);
}

function failWhenFailed({ outcome, id, backup, why }: DrillProof): void {
  if (outcome === "passed") return;
  const what = `${backup.id} could not be restored as it should`;
  const next = `the proof ${id} says so; take a new backup now, and drill it`;
  throw new CliFailure(EXIT.critical, what, why ?? "see its checks", next);
}

const ago = (ms: number): string => `${printSpan(Math.max(0, Date.now() - ms))} ago`;

function showProof(proof: DrillProof): void {
  const { backup, checks, outcome, phases } = proof;
  const colour = outcome === "passed" ? pc.green : pc.red;
  const how = outcome === "passed" ? "was restored and is what it should be" : "FAILED its drill";
  const sentence = `${backup.id} ${how}: restored on ${proof.ranOn} in ${rtoText(proof)}, ${rpoSentence(proof)}`;
  print(colour(wrap(sentence, width())));
  for (const [name, value] of factsOf(proof)) print(wrap(`  ${name.padEnd(10)} ${value}`, width()));
  print(`  ${"phases".padEnd(10)} ${phases.map(phaseText).join(", ")}`);
  print("");
  for (const check of checks) print(paint(check, wrap(checkText(check), width())));
}

const factsOf = (proof: DrillProof): readonly (readonly [string, string])[] => [
  ["drill", `${proof.id}, begun ${ago(proof.begunAtMs)}`],
  ["from", `the repository ${proof.repo}, ${printBytes(proof.backup.dataBytes)} of data`],
  ["target", `${proof.target}, with ${proof.walSegments} segments of WAL`],
  ["recovered", proof.recovered === undefined ? "did not come up" : endText(proof.recovered)],
  ["cluster", clusterText(proof)],
];

const endText = ({ lsn, timeline }: NonNullable<DrillProof["recovered"]>): string =>
  `to ${lsn} on timeline ${timeline}`;

const clusterText = ({ cluster }: DrillProof): string =>
  cluster === undefined
    ? "its server did not say where it was"
    : `was at ${cluster.position} when it began`;

const phaseText = ({ name, tookMs }: DrillPhase): string => `${name} ${printSpan(tookMs)}`;

const rtoText = ({ rtoMs }: DrillProof): string => (rtoMs === undefined ? "n/a" : printSpan(rtoMs));

const rpoText = ({ rpo }: DrillProof): string => {
  if (rpo === undefined) return "not measured";
  return rpo.ms === undefined ? printBytes(rpo.bytes) : printSpan(rpo.ms);
};

function rpoSentence({ rpo }: DrillProof): string {
  if (rpo === undefined) return "what would be lost was not measured";
  if (rpo.bytes === 0) return "nothing would be lost";
  const time = rpo.ms === undefined ? "" : `, at most the last ${printSpan(rpo.ms)}`;
  return `${printBytes(rpo.bytes)} of WAL would be lost${time}`;
}

const checkText = ({ name, outcome, why }: DrillCheck): string => `${outcome}: ${name}: ${why}`;

const paint = ({ outcome }: DrillCheck, text: string): string => {
  if (outcome === "passed") return text;
  return outcome === "failed" ? pc.red(text) : pc.yellow(text);
};

const signatureText = (signature: Signature): string =>
  signature.kind === "good" ? "good" : "BAD";

const COLUMNS: readonly Column<ReadProof>[] = [
  { title: "DRILL", cell: ({ name }) => name.id },
  { title: "BEGUN", cell: ({ name }) => ago(name.atMs) },
  {
    title: "RESULT",
    cell: ({ name, signature }) => (signature.kind === "good" ? name.outcome : "NOT PROVEN"),
  },
  {
    title: "RTO",
    cell: ({ proof }) => (proof === undefined ? "n/a" : rtoText(proof)),
    right: true,
  },
  {
    title: "RPO",
    cell: ({ proof }) => (proof === undefined ? "n/a" : rpoText(proof)),
    right: true,
  },
  { title: "SIGNATURE", cell: ({ signature }) => signatureText(signature) },
  { title: "ON", cell: ({ proof }) => proof?.ranOn ?? "n/a", leaves: 1 },
];

async function listDrills(_: unknown, command: Command): Promise<void> {
  const flags = command.optsWithGlobals<DrillFlags>();
  const list = (await carryOut(flags, "drill-list", {})) as DrillList;
  if (flags.json === true) return printJsonText(asJson("Drills", list));
  print(sentenceOf(list));
  if (list.items.length > 0) print(table(COLUMNS, list.items, width()));
  for (const { name, signature } of list.items) {
    if (signature.kind === "bad") print(pc.red(wrap(`! ${name.id}: ${signature.why}`, width())));
  }
}

function sentenceOf({ items, repo }: DrillList): string {
  const [newest] = items;
  if (newest === undefined) {
    return `no backup in the repository ${repo} was ever restored by a drill: understudy drill run`;
  }
  const passed = items.find(({ proof }) => proof?.outcome === "passed");
  if (passed === undefined) return `no drill of the repository ${repo} has passed`;
  return `the last drill of the repository ${repo} that passed was ${ago(passed.name.atMs)}`;
}

async function showDrill(id: string | undefined, _: unknown, command: Command): Promise<void> {
  const flags = command.optsWithGlobals<DrillFlags>();
  const read = (await carryOut(flags, "drill-show", { id })) as ReadProof;
  const { key, name, proof, signature } = read;
  if (signature.kind === "bad" || proof === undefined) {
    const why = signature.kind === "bad" ? signature.why : "it cannot be read";
    const next = "believe nothing of it, find out who wrote there, and run a new drill";
    throw new CliFailure(EXIT.critical, `${name.id} proves nothing`, why, next);
  }
  if (flags.json === true) printJsonText(asJson("Drill", { ...proof, key, signature }));
  else {
    showProof(proof);
    print("");
    print(wrap(`signed by the key ${proof.signer} (${signature.trust}), kept as ${key}`, width()));
  }
}

/** Adds them to `understudy drill`. */
export function registerRestoreDrills(drill: Command): void {
  const add = (name: string, about: string): Command =>
    drill
      .command(name)
      .description(about)
      .option("--repo <name>", "which repository; the first of the node's file when left out")
      .option("--member <member>", "which member does it; a standby when left out")
      .option("--json", "for programs");
  withTargetFlags(add("run", "restore a backup into a scratch directory, and check it"))
    .option("--backup <backup>", "its id; the newest that leads to the target when left out")
    .option("--identity <file>", "the private keys of age that open it, on that member")
    .action(runDrill);
  add("list", "the drills that there were: age, result, RTO, RPO").action(listDrills);
  add("show", "what a drill proved, if its signature fits")
    .argument("[drill]", "its id; the newest when left out")
    .action(showDrill);
}
