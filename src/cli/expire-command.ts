// The command that shows what has expired, and removes it when a person agrees.
import type { Command } from "commander";
import { printBytes } from "../model/amounts.ts";
import type { JudgedBackup } from "../model/expiry.ts";
import type { RepositoryExpiry } from "../model/wire/expiry.ts";
import type { Job } from "../model/worker.ts";
import { CliFailure, EXIT } from "./exit.ts";
import { itemsIn, runJob } from "./jobs.ts";
import { leaderOf, look, memberNamed } from "./rest.ts";
import { type Shared, targetOf } from "./shared.ts";
import { type Column, table } from "./table.ts";
import type { Target } from "./target.ts";
import { agree, print, printJsonText, width, wrap } from "./terminal.ts";

interface ExpireFlags extends Shared {
  readonly repo?: string;
  readonly member?: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

type Ask = (more: object) => Promise<readonly RepositoryExpiry[]>;

async function expire(_: unknown, command: Command): Promise<void> {
  const flags = command.optsWithGlobals<ExpireFlags>();
  const target = targetOf(flags);
  const ask = await askerFor(target, flags);
  const planned = await ask({ isPreview: true });
  const isForPrograms = flags.json === true;
  if (!isForPrograms) for (const one of planned) showPlan(one);
  const going = planned.filter(hasSomething);
  if (flags.dryRun === true || going.length === 0) {
    if (isForPrograms) printJsonText(asJson(target, planned));
    return failFor(planned);
  }
  await agree(questionFor(going), flags.yes === true);
  const agreed = going.flatMap(({ backups }) =>
    backups.flatMap(({ id, fate }) => (fate === "goes" ? [id] : [])),
  );
  const done = await ask({ isPreview: false, agreed });
  if (isForPrograms) printJsonText(asJson(target, done));
  else for (const one of done) if (one.state === "done") print(doneSentence(one));
  failFor(done);
}

/** Every node's file says the same, and the leader's is what counts. */
async function askerFor(target: Target, flags: ExpireFlags): Promise<Ask> {
  const status = await look(target);
  const { member, repo } = flags;
  const { apiUrl } = member === undefined ? leaderOf(status) : memberNamed(status, member);
  return async (more) => {
    const input = { ...(repo === undefined ? {} : { repo }), ...more };
    const job: Job = await runJob(target, apiUrl, { task: "backup-expire", input });
    return itemsIn(job) as readonly RepositoryExpiry[];
  };
}

const asJson = (target: Target, items: readonly RepositoryExpiry[]): object => ({
  apiVersion: "understudy/v1",
  kind: "Expiry",
  scope: target.scope,
  items,
});

const hasSomething = ({ backups, wal, tails }: RepositoryExpiry): boolean =>
  wal.files + tails.files > 0 || backups.some(({ fate }) => fate === "goes");

const COLUMNS: readonly Column<JudgedBackup>[] = [
  { title: "BACKUP", cell: ({ id }) => id },
  { title: "KIND", cell: ({ kind }) => kind, leaves: 2 },
  { title: "SIZE", cell: ({ sizeBytes }) => printBytes(sizeBytes), right: true, leaves: 1 },
  { title: "FATE", cell: ({ fate }) => fate },
  { title: "WHY", cell: ({ because }) => because },
];

function showPlan(one: RepositoryExpiry): void {
  const { repository, backups, wal, tails } = one;
  if (one.state !== "planned") return;
  print(planSentence(one));
  if (backups.length > 0) print(table(COLUMNS, backups, width()));
  if (wal.files > 0) print(`${wal.files} files of WAL go, ${printBytes(wal.bytes)}`);
  print(wrap(`WAL: ${wal.because}`, width()));
  if (tails.files > 0)
    print(`${tails.files} pieces of segments go that ${repository} holds whole by now`);
}

function planSentence(one: RepositoryExpiry): string {
  const goes = one.backups.filter(({ fate }) => fate === "goes").length;
  if (!hasSomething(one)) return `in the repository ${one.repository} nothing has expired`;
  return `from the repository ${one.repository} ${countOf(goes)} and WAL would go, ${printBytes(one.bytes)}`;
}

const countOf = (backups: number): string => (backups === 1 ? "1 backup" : `${backups} backups`);

function questionFor(going: readonly RepositoryExpiry[]): string {
  const bytes = going.reduce((sum, one) => sum + one.bytes, 0);
  return `Remove what goes, ${printBytes(bytes)}, for good?`;
}

function doneSentence(one: RepositoryExpiry): string {
  const goes = one.backups.filter(({ fate }) => fate === "goes").length;
  const more = `${one.wal.files} files of WAL`;
  return `${one.repository}: ${countOf(goes)} and ${more} are gone, ${printBytes(one.bytes)} are free`;
}

/** What was refused or has failed ends the command with a number, after what could be done. */
function failFor(items: readonly RepositoryExpiry[]): void {
  const bad = items.filter(({ state }) => state === "refused" || state === "failed");
  if (bad.length === 0) return;
  const lines = bad.map(({ repository, why }) => `${repository}: ${why}`);
  const next = "see understudy backup repo list, and understudy backup list";
  const exit = bad.length === items.length ? EXIT.precondition : EXIT.partial;
  throw new CliFailure(exit, "nothing was removed where this is so", ...lines, next);
}

/** Adds it to `understudy backup`. */
export function registerExpire(backup: Command): void {
  backup
    .command("expire")
    .description("show what is kept no longer by backup.retention, and remove it if you agree")
    .option("--repo <name>", "one repository; all when left out")
    .option("--member <member>", "which member does it; the leader when left out")
    .option("--dry-run", "only show it")
    .option("-y, --yes", "do not ask")
    .option("--json", "for programs")
    .action(expire);
}
