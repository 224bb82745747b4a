// Commands that say what maintenance costs in availability: a statement before it runs, and what runs now.
import { readFileSync } from "node:fs";
import type { Command } from "commander";
import { printSpan } from "../model/amounts.ts";
import { estimateOf } from "../model/maintenance/estimate.ts";
import { judgeSql, LONGEST_SQL } from "../model/maintenance/judge.ts";
import type { Judgement } from "../model/maintenance/judgement.ts";
import { printRfc3339 } from "../model/wire/rfc3339.ts";
import { availabilityOf } from "./availability.ts";
import { CliFailure, EXIT } from "./exit.ts";
import { maintenanceNow, relationOf } from "./maintenance.ts";
import { type Checked, checkedScreen, nowScreen } from "./maintenance-screen.ts";
import { type Shared, targetOf } from "./shared.ts";
import type { Target } from "./target.ts";
import { isTerminal, print, printJsonText, width } from "./terminal.ts";
import { rhythmOf, watchFrames } from "./watch.ts";

interface CheckFlags extends Shared {
  readonly database?: string;
}

async function check(written: string, _: unknown, command: Command): Promise<void> {
  const flags = command.optsWithGlobals<CheckFlags>();
  const sql = written === "-" ? readFileSync(0, "utf8") : written;
  if (sql.length > LONGEST_SQL)
    throw new CliFailure(EXIT.usage, "the statement is too long", `at most ${LONGEST_SQL} signs`);
  const judgements = judgeSql(sql);
  if (judgements.length === 0)
    throw new CliFailure(EXIT.usage, "there is no statement", "name one in quotes, or - for stdin");
  const target = targetOf(flags);
  const planned = await plannedOf(target);
  const items = await Promise.all(
    judgements.map((judgement) => checked(target, judgement, { flags, planned })),
  );
  if (flags.json === true) {
    const asOf = printRfc3339(Date.now());
    printJsonText({ apiVersion: "understudy/v1", kind: "StatementCheck", asOf, items });
  } else print(checkedScreen(items, width()));
  process.exitCode = items.every(({ judgement }) => judgement.weight === "free")
    ? EXIT.ok
    : EXIT.degraded;
}

interface Around {
  readonly flags: CheckFlags;
  readonly planned: Checked["planned"];
}

/** A table is looked up where its size matters. */
async function checked(
  target: Target,
  judgement: Judgement,
  { flags, planned }: Around,
): Promise<Checked> {
  const { relation, weight } = judgement;
  const database = flags.database ?? target.settings.availability?.database ?? "postgres";
  const isAsked = relation !== undefined && weight !== "free";
  const { facts, why } = isAsked
    ? await relationOf(target, database, relation)
    : { facts: undefined, why: "it names no table" };
  return { judgement, facts, why, estimate: estimateOf(judgement, facts), planned };
}

/** The year's planned part over the way where least is left; undefined where nothing is measured. */
async function plannedOf(target: Target): Promise<Checked["planned"]> {
  const ways = await availabilityOf(target, Date.now());
  const parts = ways.map(({ year }) => year.planned);
  return parts.toSorted((a, b) => a.leftMs - b.leftMs)[0];
}

interface WatchFlags extends Shared {
  readonly once?: boolean;
  readonly every?: string;
}

async function watch(_: unknown, command: Command): Promise<void> {
  const flags = command.optsWithGlobals<WatchFlags>();
  const everyMs = rhythmOf(flags.every);
  const target = targetOf(flags);
  const frame = async () => {
    const [now, planned] = await Promise.all([maintenanceNow(target), plannedOf(target)]);
    return { ...now, planned };
  };
  const screen = ({ planned, ...now }: Awaited<ReturnType<typeof frame>>): string =>
    nowScreen(
      now,
      planned && `${printSpan(planned.leftMs)} of the year's planned part left`,
      width(),
    );
  const json = ({ asOf, ...now }: Awaited<ReturnType<typeof frame>>) => ({
    apiVersion: "understudy/v1",
    kind: "MaintenanceNow",
    asOf,
    ...now,
  });
  if (flags.once !== true) {
    const repaint = flags.json !== true && isTerminal();
    await watchFrames({ everyMs, repaint, look: frame, screen, json });
    return;
  }
  const now = await frame();
  if (flags.json === true) printJsonText(json(now));
  else print(screen(now));
  if (now.flagged.length > 0) process.exitCode = EXIT.degraded;
}

export function registerSloMaintenance(slo: Command): void {
  slo
    .command("check")
    .argument("<sql>", "the statement, in quotes; - reads it from stdin")
    .description(
      "whether a statement would keep clients waiting, for about how long, and the form that does not; ends with 3 unless nobody waits",
    )
    .option("--database <name>", "where its table lies; the probes' database, else postgres")
    .option("--json", "for programs")
    .action(check);
  slo
    .command("watch")
    .description("maintenance that keeps clients waiting now, who waits, and what to do instead")
    .option("--once", "only one look; ends with 3 when something blocks")
    .option("--every <seconds>", "how often; 2 when left out")
    .option("--json", "for programs")
    .action(watch);
}
