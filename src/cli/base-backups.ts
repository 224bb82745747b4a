// Commands for base backups: take one, see what there is, read one back.
import type { Command } from "commander";
import { printBytes, printSpan } from "../model/amounts.ts";
import type {
  BackupList,
  ListedBackup,
  ListedWalVerdict,
  WorkAnswer,
} from "../model/backup-words.ts";
import type { StatusJson, StatusMember } from "../model/wire/status.ts";
import type { TaskName } from "../model/worker.ts";
import { CliFailure, EXIT } from "./exit.ts";
import { runJob } from "./jobs.ts";
import { leaderOf, look, memberNamed } from "./rest.ts";
import { type Shared, targetOf } from "./shared.ts";
import { type Column, table } from "./table.ts";
import { print, printJsonText, width, wrap } from "./terminal.ts";

interface BackupFlags extends Shared {
  readonly member?: string;
  readonly repo?: string;
  readonly label?: string;
  readonly maxRate?: string;
  readonly wal?: boolean;
}

/** A standby that streams, the nearest first, else the leader: a backup costs the primary nothing where it can. */
export function sourceIn(status: StatusJson): StatusMember {
  const standby = status.members
    .filter(({ leads, replicationState }) => !leads && replicationState === "streaming")
    .toSorted((a, b) => (a.lagBytes ?? 0) - (b.lagBytes ?? 0))[0];
  return standby ?? leaderOf(status);
}

type Did<N extends WorkAnswer["did"]> = Extract<WorkAnswer, { did: N }>;

/** Has a member do it, shows how far it is, and answers what came of it. */
async function carryOut<N extends WorkAnswer["did"]>(
  flags: BackupFlags,
  order: { readonly task: TaskName; readonly did: N; readonly input: object },
): Promise<Did<N>> {
  const target = targetOf(flags);
  const status = await look(target);
  const { apiUrl } =
    flags.member === undefined ? sourceIn(status) : memberNamed(status, flags.member);
  const { task, did } = order;
  const input = { repo: flags.repo, ...order.input };
  const { result } = await runJob(target, apiUrl, { task, input });
  const answer = result as WorkAnswer;
  if (answer.did === did) return answer as Did<N>;
  throw new CliFailure(EXIT.unexpected, `${task} answered with ${answer.did}`);
}

async function runBackup(_: unknown, command: Command): Promise<void> {
  const flags = command.optsWithGlobals<BackupFlags>();
  const { label, maxRate } = flags;
  const input = { label, ...(maxRate === undefined ? {} : { maxRateKb: rateOf(maxRate) }) };
  const { backup } = await carryOut(flags, { task: "backup-take", did: "take", input });
  if (flags.json === true) return printJsonText(asJson("Backup", backup));
  print(takenSentence(backup));
}

const asJson = (kind: string, value: object): object => ({
  apiVersion: "understudy/v1",
  kind,
  ...value,
});

function takenSentence(one: ListedBackup): string {
  const from = `${printBytes(one.dataBytes)} from the ${one.takenFrom} ${one.takenOn}`;
  const to = `${printBytes(one.storedBytes)} in the repository ${one.repo}`;
  return `${one.id}: ${from} in ${printSpan(one.tookMs)}, ${to}`;
}

/** `20M`, `512k`: kilobytes a second, as pg_basebackup takes them. */
function rateOf(text: string): number {
  const [, digits = "", unit = "k"] = /^(\d+)([kM]?)$/.exec(text) ?? [];
  const rate = Number(digits) * (unit === "M" ? 1024 : 1);
  if (digits !== "" && rate >= 32 && rate <= 1_048_576) return rate;
  const next = "say a number of kB a second from 32k to 1024M";
  throw new CliFailure(EXIT.usage, `--max-rate is ${text}`, next);
}

async function verifyBackup(id: string | undefined, _: unknown, command: Command): Promise<void> {
  const flags = command.optsWithGlobals<BackupFlags>();
  const done = await carryOut(flags, {
    task: "backup-verify",
    did: "verify",
    input: { id, wal: flags.wal },
  });
  const { verification, wal } = done;
  if (flags.json === true)
    printJsonText(asJson("Verification", { id: done.id, ...verification, ...(wal && { wal }) }));
  if (verification.outcome === "failed") {
    const next = "take a new backup now, and restore from another one";
    const why = verification.why ?? "it is not what was stored";
    throw new CliFailure(EXIT.critical, `${done.id} is damaged`, why, next);
  }
  refuseDamagedWal(wal);
  if (flags.json === true) return;
  const seen =
    verification.depth === "content"
      ? "every byte was read back and is what the server sent"
      : "the stored bytes are as they were put; what is in them cannot be seen without a private key";
  print(`${done.id}: ${seen}`);
  if (wal !== undefined)
    print(`${wal.segments} segments of WAL lead on to ${wal.endLsn}; every byte was read back`);
}

function refuseDamagedWal(wal: ListedWalVerdict | undefined): void {
  const [first, ...more] = wal?.damaged ?? [];
  if (first === undefined) return;
  const what = `the WAL ${first.name} is damaged${more.length === 0 ? "" : `, and ${more.length} more`}`;
  const next =
    "take a new backup now; a restore goes on behind it from another repository, if that one has it";
  throw new CliFailure(EXIT.critical, what, first.why, next);
}

const ago = (ms: number): string => `${printSpan(Math.max(0, Date.now() - ms))} ago`;

const verifiedText = ({ verified }: ListedBackup): string => {
  if (verified === undefined) return "while taken";
  return verified.outcome === "passed" ? ago(verified.atMs) : "DAMAGED";
};

const COLUMNS: readonly Column<ListedBackup>[] = [
  { title: "BACKUP", cell: ({ id }) => id },
  { title: "BEGUN", cell: ({ startedAtMs }) => ago(startedAtMs) },
  { title: "FROM", cell: ({ takenOn }) => takenOn },
  { title: "SIZE", cell: ({ dataBytes }) => printBytes(dataBytes), right: true },
  { title: "STORED", cell: ({ storedBytes }) => printBytes(storedBytes), right: true },
  { title: "VERIFIED", cell: verifiedText },
  { title: "LABEL", cell: ({ label }) => label || "none", leaves: 1 },
  { title: "TOOK", cell: ({ tookMs }) => printSpan(tookMs), leaves: 2 },
];

const readList = async (flags: BackupFlags): Promise<BackupList> =>
  (await carryOut(flags, { task: "backup-list", did: "list", input: {} })).list;

async function showList(_: unknown, command: Command): Promise<void> {
  const flags = command.optsWithGlobals<BackupFlags>();
  const list = await readList(flags);
  if (flags.json === true) return printJsonText(asJson("Backups", list));
  const { items, repo, unfinished, unreadable, expiring } = list;
  print(sentenceOf(list));
  if (items.length > 0) print(table(COLUMNS, items, width()));
  for (const id of unfinished)
    print(wrap(`! ${id} is not whole: being taken, or left behind`, width()));
  for (const id of expiring) print(`${id} has expired and is being removed`);
  for (const id of unreadable)
    print(wrap(`! ${id} in ${repo} has a record that cannot be read`, width()));
}

function sentenceOf({ items, repo }: BackupList): string {
  const [newest] = items;
  if (newest === undefined) return `the repository ${repo} holds no backup: understudy backup run`;
  const count = items.length === 1 ? "one backup" : `${items.length} backups`;
  return `the repository ${repo} holds ${count}, the newest begun ${ago(newest.startedAtMs)}`;
}

async function showOne(id: string, _: unknown, command: Command): Promise<void> {
  const flags = command.optsWithGlobals<BackupFlags>();
  const { items, repo } = await readList(flags);
  const found = items.find((item) => item.id === id);
  if (found === undefined) {
    const next = "see what there is: understudy backup list";
    throw new CliFailure(EXIT.noSuchThing, `the repository ${repo} holds no backup ${id}`, next);
  }
  if (flags.json === true) return printJsonText(asJson("Backup", found));
  print(`${found.id}: ${printBytes(found.dataBytes)} of the cluster`);
  for (const [name, value] of factsOf(found)) print(`  ${name.padEnd(12)} ${value}`);
}

const factsOf = (one: ListedBackup): readonly (readonly [string, string])[] => [
  ["label", one.label || "none"],
  ["begun", `${one.startedAt}, ${ago(one.startedAtMs)}`],
  ["taken", `from the ${one.takenFrom} ${one.takenOn} in ${printSpan(one.tookMs)}`],
  ["version", `PostgreSQL ${one.version}`],
  ["timeline", String(one.timeline)],
  ["WAL", `from ${one.startLsn}, consistent at ${one.stopLsn}`],
  ["stored", `${printBytes(one.storedBytes)} (${one.packing})`],
  ...one.tablespaces.map(({ oid, path }) => ["tablespace", `${oid} ${path}`] as const),
  ["verified", one.verified === undefined ? "compared while it was taken" : verifiedText(one)],
];

/** Adds them to `understudy backup`. */
export function registerBaseBackups(backup: Command): void {
  const add = (name: string, about: string): Command =>
    backup
      .command(name)
      .description(about)
      .option("--repo <name>", "which repository; the first of the node's file when left out")
      .option("--member <member>", "which member does it; a standby when left out")
      .option("--json", "for programs");
  add("run", "take a base backup now, from a standby where there is one")
    .option("--label <text>", "what it is for")
    .option("--max-rate <rate>", "at most so many kB a second: 512k, 20M")
    .action(runBackup);
  add("list", "the base backups that there are").action(showList);
  add("show", "everything that is known of one base backup")
    .argument("<backup>", "its id")
    .action(showOne);
  add("verify", "read a base backup back and compare every byte with what the server sent")
    .argument("[backup]", "its id; the newest when left out")
    .option("--wal", "the WAL that leads on from it as well")
    .action(verifyBackup);
}
