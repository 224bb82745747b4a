// Commands for backups: the repositories in which they lie, and the jobs that make and read them.
import type { Command } from "commander";
import { printBytes, printSpan } from "../model/amounts.ts";
import {
  type Holding,
  type ProbedRepository,
  type RepositoryReport,
} from "../model/wire/repositories.ts";
import type { StatusMember } from "../model/wire/status.ts";
import type { Job, TaskName } from "../model/worker.ts";
import { registerBaseBackups } from "./base-backups.ts";
import { registerCoverage } from "./coverage-command.ts";
import { CliFailure, EXIT, failureOf } from "./exit.ts";
import { registerExpire } from "./expire-command.ts";
import { cancelJob, itemsIn, jobsAt, progressLine, runJob } from "./jobs.ts";
import { registerLogical } from "./logical-commands.ts";
import { leaderOf, look, memberNamed } from "./rest.ts";
import { registerSchedule } from "./schedule-command.ts";
import { type Shared, targetOf } from "./shared.ts";
import { type Column, table } from "./table.ts";
import type { Target } from "./target.ts";
import { print, printJsonText, say, width, wrap } from "./terminal.ts";
import { registerThreeTwoOne } from "./three-two-one-command.ts";

interface MemberFlags extends Shared {
  /** Of `init`: the cluster is the one that wrote there, although its store is another. */
  readonly continue?: boolean;
  readonly member?: string;
}

/** The member that was named, else the leader: every node's file names the same repositories. */
async function memberFor(target: Target, name: string | undefined): Promise<StatusMember> {
  const status = await look(target);
  return name === undefined ? leaderOf(status) : memberNamed(status, name);
}

const repoTask =
  (task: TaskName, show: (job: Job) => void) =>
  async (repository: string | undefined, _: unknown, command: Command): Promise<void> => {
    const flags = command.optsWithGlobals<MemberFlags>();
    const target = targetOf(flags);
    const { name, apiUrl } = await memberFor(target, flags.member);
    const input = {
      ...(repository === undefined ? {} : { repository }),
      ...(flags.continue === true ? { continues: true } : {}),
    };
    const job = await runJob(target, apiUrl, { task, input });
    if (flags.json === true) {
      const asOf = new Date(job.endedAtMs ?? job.startedAtMs).toISOString();
      const more = { asOf, scope: target.scope, member: name };
      printJsonText({
        apiVersion: "understudy/v1",
        kind: "Repositories",
        ...more,
        items: itemsIn(job),
      });
      return;
    }
    show(job);
  };

const WORDS: Readonly<Record<Holding["what"], string>> = {
  base: "base backups",
  wal: "files of WAL",
  logical: "logical backups",
  proofs: "proofs",
  other: "other objects",
};

const holdingText = ({ what, count, sizeBytes, newestMs }: Holding): string => {
  const age = printSpan(Math.max(0, Date.now() - newestMs));
  return `${count} ${WORDS[what]}, ${printBytes(sizeBytes)}, newest ${age} old`;
};

const REPOSITORIES: readonly Column<RepositoryReport>[] = [
  { title: "REPOSITORY", cell: ({ name }) => name },
  { title: "STATE", cell: ({ state }) => state },
  { title: "ON", cell: ({ storage }) => storage },
  { title: "OFF SITE", cell: ({ offSite }) => (offSite ? "yes" : "no") },
  {
    title: "HOLDS",
    cell: ({ holdings }) => printBytes(holdings.reduce((sum, one) => sum + one.sizeBytes, 0)),
    right: true,
  },
  { title: "PLACE", cell: ({ place }) => place, leaves: 1 },
];

function showRepositories(job: Job): void {
  const items = itemsIn(job) as readonly RepositoryReport[];
  print(table(REPOSITORIES, items, width()));
  for (const { name, holdings, why } of items) {
    for (const holding of holdings) print(`${name}: ${holdingText(holding)}`);
    if (why !== undefined) print(wrap(`! ${name}: ${why}`, width()));
  }
}

/** A store that lets itself be overwritten is a failure: somebody will one day. */
function showProbe(job: Job): void {
  const items = itemsIn(job) as readonly ProbedRepository[];
  for (const { name, createOnly, checksums, problems } of items) {
    const second = createOnly ? "refuses a second object under a name" : "takes a second object";
    const damage = checksums ? "refuses damaged bytes" : "leaves checksums to us";
    if (createOnly || problems.length === 0) print(`${name}: ${second}, ${damage}`);
    for (const problem of problems) print(wrap(`! ${name}: ${problem}`, width()));
  }
  if (items.some(({ problems }) => problems.length > 0)) process.exitCode = EXIT.degraded;
}

function showClaims(job: Job): void {
  for (const { name, outcome } of itemsIn(job) as readonly { name: string; outcome: string }[])
    print(
      `${name}: ${outcome === "claimed" ? "is this cluster's from now on" : "was this cluster's already"}`,
    );
}

interface JobRow extends Job {
  readonly member: string;
}

const JOBS: readonly Column<JobRow>[] = [
  { title: "JOB", cell: ({ id }) => id },
  { title: "MEMBER", cell: ({ member }) => member },
  { title: "TASK", cell: ({ task }) => task },
  { title: "STATE", cell: ({ state }) => state },
  {
    title: "SINCE",
    cell: ({ startedAtMs }) => `${printSpan(Math.max(0, Date.now() - startedAtMs))} ago`,
  },
  {
    title: "HOW FAR",
    cell: ({ progress, failure }) =>
      progress === undefined ? (failure?.why ?? "n/a") : progressLine(progress),
    leaves: 1,
  },
];

async function allJobs(target: Target): Promise<readonly (JobRow & { apiUrl: string })[]> {
  const { members } = await look(target);
  const found = members.map(async ({ name, apiUrl }) => {
    const jobs = await jobsAt(target, apiUrl).catch((error: unknown) => {
      const [what] = failureOf(error).lines;
      say(`! ${name}: its jobs are not known: ${what}`);
      return [];
    });
    return jobs.map((job) => ({ ...job, member: name, apiUrl }));
  });
  const rows = (await Promise.all(found)).flat();
  return rows.toSorted((a, b) => b.startedAtMs - a.startedAtMs);
}

async function showJobs(_: unknown, command: Command): Promise<void> {
  const flags = command.optsWithGlobals<Shared>();
  const target = targetOf(flags);
  const items = (await allJobs(target)).map(({ apiUrl: _url, ...job }) => job);
  if (flags.json === true)
    printJsonText({ apiVersion: "understudy/v1", kind: "Jobs", scope: target.scope, items });
  else print(items.length === 0 ? "there are no jobs" : table(JOBS, items, width()));
}

async function cancel(id: string, _: unknown, command: Command): Promise<void> {
  const target = targetOf(command.optsWithGlobals<Shared>());
  const job = (await allJobs(target)).find((one) => one.id === id);
  if (job === undefined)
    throw new CliFailure(EXIT.noSuchThing, `there is no job ${id}`, "see understudy backup jobs");
  print(`${job.member}: ${await cancelJob(target, job)}`);
}

export function registerBackup(program: Command): void {
  const backup = program.command("backup").description("backups, and where they lie");
  registerCoverage(backup);
  registerBaseBackups(backup);
  registerExpire(backup);
  registerSchedule(backup);
  const repo = backup.command("repo").description("the repositories of the node's file");
  const add = (name: string, about: string, action: ReturnType<typeof repoTask>) =>
    repo
      .command(name)
      .argument("[repository]", "one of them; all when left out")
      .description(about)
      .option("--member <member>", "whose agent looks; the leader's when left out")
      .option("--json", "for programs")
      .action(action);
  add("list", "what they hold, and whose they are", repoTask("repo-list", showRepositories));
  add("probe", "what they can do, found out by doing it", repoTask("repo-probe", showProbe));
  add(
    "init",
    "make them this cluster's, unless they are another's",
    repoTask("repo-init", showClaims),
  ).option(
    "--continue",
    "it wrote there before its store was lost and made anew; no other cluster does",
  );
  registerLogical(backup);
  registerThreeTwoOne(backup);
  const jobs = backup
    .command("jobs")
    .description("the long work of every member: how far it is, how it ended")
    .option("--json", "for programs")
    .action(showJobs);
  jobs
    .command("cancel")
    .argument("<job>", "its id")
    .description("ask a job to end; what it has stored stays")
    .action(cancel);
}
