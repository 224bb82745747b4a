// The command that says whether there are three copies, on two kinds of storage, one of them off site.
import type { Command } from "commander";
import pc from "picocolors";
import type { JudgedCopy } from "../model/copy-evidence.ts";
import {
  type Digit,
  judge321,
  type LiveEvidence,
  type ThreeTwoOne,
  type Verdict321,
} from "../model/three-two-one.ts";
import { parseDuration } from "../model/wire/duration.ts";
import type { EvidenceReport } from "../model/wire/repositories.ts";
import type { StatusMember } from "../model/wire/status.ts";
import { CliFailure, EXIT, type ExitCode } from "./exit.ts";
import { runJob } from "./jobs.ts";
import { type MemberOverview, type Overview, overviewOf } from "./overview.ts";
import { memberNamed } from "./rest.ts";
import { type Shared, targetOf } from "./shared.ts";
import { type Column, table } from "./table.ts";
import { print, printJsonText, width, wrap } from "./terminal.ts";

interface Flags extends Shared {
  readonly member?: string;
  readonly maxAge: string;
}

const EXIT_OF: Readonly<Record<Verdict321, ExitCode>> = {
  pass: EXIT.ok,
  fail: EXIT.degraded,
  unknown: EXIT.unreachable,
};

async function show321(_: unknown, command: Command): Promise<void> {
  const flags = command.optsWithGlobals<Flags>();
  const oldAfterMs = ageOf(flags.maxAge);
  const target = targetOf(flags);
  const overview = await overviewOf(target);
  const { name, apiUrl } = witnessIn(overview, flags.member);
  const job = await runJob(target, apiUrl, { task: "backup-evidence", input: {} });
  const seen = job.result as EvidenceReport;
  const leader = overview.members.find(({ leads }) => leads);
  const verdict = judge321({
    nowMs: Date.now(),
    oldAfterMs,
    position: leader?.position,
    timeline: leader?.timeline,
    live: liveIn(overview.members, seen),
    repositories: seen.items,
  });
  if (flags.json === true) {
    const about = { apiVersion: "understudy/v1", kind: "ThreeTwoOne", asOf: overview.asOf };
    printJsonText({ ...about, scope: overview.scope, member: name, ...verdict });
  } else show(verdict);
  process.exitCode = EXIT_OF[verdict.verdict];
}

/** Who looks: the member that was named, else the leader, else anyone whose agent answers. */
function witnessIn(overview: Overview, named: string | undefined): StatusMember {
  if (named !== undefined) return memberNamed(overview, named);
  const answering = overview.members.filter(({ agent }) => agent.answers);
  const found = answering.find(({ leads }) => leads) ?? answering[0];
  if (found !== undefined) return found;
  throw new CliFailure(
    EXIT.unreachable,
    `no agent of ${overview.scope} answers`,
    "nobody can look",
  );
}

/** The data that the members serve; which of them does not matter, since all hold the same. */
function liveIn(members: readonly MemberOverview[], seen: EvidenceReport): LiveEvidence {
  const { dataVolume: volume, dataMedium: medium } = seen;
  const where = { ...(volume && { volume }), ...(medium && { medium }) };
  const serving = members.filter(
    ({ agent }) => agent.answers && agent.node.server.state === "running",
  );
  if (serving.length === 0) return { ...where, counts: "unknown", why: "no server of it answers" };
  const names = serving.map(({ name }) => name).join(", ");
  return { ...where, counts: "yes", why: `served by ${names}` };
}

function ageOf(written: string): number {
  const ms = parseDuration(written);
  if (ms !== undefined && ms > 0) return ms;
  const next = "write it like 7d or 36h";
  throw new CliFailure(EXIT.usage, `--max-age ${written} is not an age`, next);
}

const SENTENCES: Readonly<Record<Verdict321, string>> = {
  pass: "3-2-1 holds: three copies, two kinds of storage, one off site",
  fail: "3-2-1 does not hold",
  unknown: "it is not known whether 3-2-1 holds",
};

const COLOURS: Readonly<Record<Verdict321, (text: string) => string>> = {
  pass: pc.green,
  fail: pc.red,
  unknown: pc.yellow,
};

function provenText({ isProven, isRestored }: JudgedCopy): string {
  if (isRestored === true) return "restored";
  return isProven ? "yes" : "no";
}

const COPIES: readonly Column<JudgedCopy>[] = [
  { title: "COPY", cell: ({ name }) => name },
  { title: "COUNTS", cell: ({ counts }) => counts },
  { title: "ON", cell: ({ storage }) => storage },
  { title: "OFF SITE", cell: ({ offSite }) => (offSite ? "yes" : "no") },
  { title: "PROVEN", cell: provenText },
];

function show({ verdict, digits, copies, unproven }: ThreeTwoOne): void {
  const doubt =
    unproven.length === 0 ? "" : `, unproven: ${unproven.join(", ")} not read back lately`;
  print(COLOURS[verdict](wrap(`${SENTENCES[verdict]}${doubt}`, width())));
  for (const digit of digits) showDigit(digit);
  print("");
  print(table(COPIES, copies, width()));
  for (const { name, why, remarks } of copies) {
    print(wrap(`${name}: ${why}`, width()));
    for (const remark of remarks) print(pc.yellow(wrap(`! ${name}: ${remark}`, width())));
  }
  for (const name of unproven) print(`next: understudy backup verify --repo ${name}`);
}

function showDigit({ wants, of, verdict, why, next }: Digit): void {
  print(wrap(`${wants} ${of}: ${verdict}: ${why}`, width()));
  if (next !== undefined) print(wrap(`  next: ${next}`, width()));
}

export function registerThreeTwoOne(backup: Command): void {
  backup
    .command("3-2-1")
    .description("are there three copies, on two kinds of storage, one off site? From evidence")
    .option("--member <member>", "whose agent looks; the leader's when left out")
    .option("--max-age <time>", "a backup or a proof that is older is told", "7d")
    .option("--json", "for programs")
    .action(show321);
}
