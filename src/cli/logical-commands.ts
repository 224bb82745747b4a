// Commands for logical backups: dump a database or tables into a repository, see them, make a database of one.
import type { Command } from "commander";
import { printBytes, printSpan } from "../model/amounts.ts";
import { DUMP_FORMATS, type DumpFormat, type LogicalRecord } from "../model/logical-backup.ts";
import type { StatusMember } from "../model/wire/status.ts";
import type { Job, TaskName } from "../model/worker.ts";
import { itemsIn, runJob } from "./jobs.ts";
import { leaderOf, look, memberNamed } from "./rest.ts";
import { type Shared, targetOf } from "./shared.ts";
import { type Column, table } from "./table.ts";
import type { Target } from "./target.ts";
import { print, printJsonText, width } from "./terminal.ts";

interface Flags extends Shared {
  readonly database?: string;
  readonly table?: readonly string[];
  readonly format?: DumpFormat;
  readonly jobs?: string;
  readonly globals?: boolean;
  readonly repository?: string;
  readonly member?: string;
  readonly to?: string;
  readonly identityFile?: string;
}

/** A standby that streams spares the primary; without one it is the primary. */
async function memberFor(target: Target, flags: Flags, from: "standby" | "primary") {
  const status = await look(target);
  if (flags.member !== undefined) return memberNamed(status, flags.member);
  const standby = status.members.find(
    ({ leads, replicationState }: StatusMember) => !leads && replicationState === "streaming",
  );
  return (from === "standby" ? standby : undefined) ?? leaderOf(status);
}

interface Order {
  readonly task: TaskName;
  readonly input: Job["input"];
  readonly from: "standby" | "primary";
}

async function carryOut(command: Command, { task, input, from }: Order, show: (job: Job) => void) {
  const flags = command.optsWithGlobals<Flags>();
  const target = targetOf(flags);
  const { name, apiUrl } = await memberFor(target, flags, from);
  const { repository } = flags;
  const order = { task, input: { ...input, ...(repository === undefined ? {} : { repository }) } };
  const job = await runJob(target, apiUrl, order);
  if (flags.json !== true) show(job);
  else {
    const asOf = new Date(job.endedAtMs ?? job.startedAtMs).toISOString();
    const items = task === "logical-list" ? itemsIn(job) : [job.result];
    const more = { asOf, scope: target.scope, member: name, items };
    printJsonText({ apiVersion: "understudy/v1", kind: "LogicalBackups", ...more });
  }
}

type Listed = LogicalRecord & { readonly repository: string };

const storedBytes = ({ objects }: Listed): number =>
  objects.reduce((sum, one) => sum + one.storedBytes, 0);

const proofText = ({ proof }: Listed): string =>
  proof.entries === undefined ? "bytes read back" : `${proof.entries} entries listed`;

async function take(_: unknown, command: Command): Promise<void> {
  const { database, table: tables, format, jobs, globals } = command.optsWithGlobals<Flags>();
  const input = {
    ...(database === undefined ? {} : { database }),
    ...(tables === undefined ? {} : { tables }),
    ...(format === undefined ? {} : { format }),
    ...(jobs === undefined ? {} : { jobs: Number(jobs) }),
    ...(globals === undefined ? {} : { globals }),
  };
  await carryOut(command, { task: "logical-take", input, from: "standby" }, (job) => {
    const made = job.result as Listed;
    const what = made.database ?? "the globals";
    print(
      `${made.id}: ${what} from ${made.takenOn} in ${made.repository}, ${printBytes(storedBytes(made))}, ${proofText(made)}`,
    );
  });
}

const COLUMNS: readonly Column<Listed>[] = [
  { title: "BACKUP", cell: ({ id }) => id },
  { title: "DATABASE", cell: ({ database, globals }) => database ?? (globals ? "globals" : "n/a") },
  { title: "FORMAT", cell: ({ format }) => format },
  { title: "SIZE", cell: (one) => printBytes(storedBytes(one)), right: true },
  { title: "AGE", cell: ({ startedAtMs }) => printSpan(Math.max(0, Date.now() - startedAtMs)) },
  { title: "IN", cell: ({ repository }) => repository },
  { title: "PROVEN", cell: proofText, leaves: 1 },
];

async function list(_: unknown, command: Command): Promise<void> {
  await carryOut(command, { task: "logical-list", input: {}, from: "primary" }, (job) => {
    const items = itemsIn(job) as readonly (Listed & { readonly damaged?: boolean })[];
    const whole = items.filter(({ damaged }) => damaged !== true);
    print(whole.length === 0 ? "there are no logical backups" : table(COLUMNS, whole, width()));
    for (const { id, repository, damaged } of items)
      if (damaged === true) print(`! ${repository}: the record of ${id} is damaged`);
  });
}

async function restore(id: string, _: unknown, command: Command): Promise<void> {
  const { to, identityFile } = command.optsWithGlobals<Flags>();
  const input = { id, to, ...(identityFile === undefined ? {} : { identityFile }) };
  await carryOut(command, { task: "logical-restore", input, from: "primary" }, () => {
    print(`${id}: restored as the database ${to}`);
  });
}

export function registerLogical(backup: Command): void {
  const repeated = (value: string, before: readonly string[] = []) => [...before, value];
  const logical = backup
    .command("logical")
    .description("dump a database, or tables of it, into a repository, and read it back")
    .option("--database <database>", "which database")
    .option("--table <table>", "only this table or pattern; repeatable", repeated)
    .option("--format <format>", `${DUMP_FORMATS.join(", ")}; custom when left out`)
    .option("--jobs <number>", "tables dumped at the same time; needs --format directory")
    .option("--globals", "roles and tablespaces as well")
    .option("--repository <repository>", "where to; the first one of the file when left out")
    .option("--member <member>", "on which member; a standby that streams when left out")
    .option("--json", "for programs")
    .action(take);
  logical.command("list").description("the logical backups of every repository").action(list);
  logical
    .command("restore")
    .argument("<backup>", "its id")
    .description("make a new database of one, wholly or not at all")
    .requiredOption("--to <database>", "the database to be made; it must not exist")
    .option("--identity-file <file>", "private keys of age on that member, if it is encrypted")
    .action(restore);
}
