// The command for lag: where WAL is held up on its way to each standby, why, and how it was before.
import { setTimeout as sleep } from "node:timers/promises";
import type { Command } from "commander";
import type { LagMoment } from "../model/lag/moment.ts";
import { parseMoment } from "../model/lag/moment.ts";
import { isObject } from "../model/wire/json.ts";
import { EXIT } from "./exit.ts";
import { type LagRow, lagOf, lagRows } from "./lag-cases.ts";
import { historyLines, lagScreen } from "./lag-screen.ts";
import { chosenRows, spanOf } from "./lag-wish.ts";
import { type Overview, overviewOf } from "./overview.ts";
import { call, plainJson } from "./rest.ts";
import { type Shared, targetOf } from "./shared.ts";
import type { Target } from "./target.ts";
import { print, printJsonText, width, wrap } from "./terminal.ts";
import { rhythmOf, watchFrames } from "./watch.ts";

interface LagFlags extends Shared {
  readonly watch?: string | true;
  readonly history?: string;
  readonly member?: string;
}

/** A member that is asked measures more closely from then on: what it says now may be five seconds old. */
const CLOSER_MS = 1_500;

async function showLag(_: unknown, command: Command): Promise<void> {
  const flags = command.optsWithGlobals<LagFlags>();
  const target = targetOf(flags);
  const spanMs = flags.history === undefined ? 0 : spanOf(flags.history);
  if (flags.watch !== undefined) {
    await watchFrames({
      everyMs: rhythmOf(flags.watch),
      repaint: process.stdout.isTTY && flags.json !== true,
      look: () => frameOf(target, flags),
      screen: (frame) => screenOf(frame),
      json: (frame) => asJson(frame, undefined),
    });
    return;
  }
  const first = await frameOf(target, flags);
  const needsMore = first.rows.some(({ diagnosis }) => diagnosis.weight === "trouble");
  if (needsMore) await sleep(CLOSER_MS);
  const frame = needsMore ? await frameOf(target, flags) : first;
  const moments = spanMs === 0 ? undefined : await historyOf(target, frame, spanMs);
  if (flags.json === true) printJsonText(asJson(frame, moments));
  else print([screenOf(frame), ...historyPart(moments, spanMs)].join("\n"));
  const isTrouble = frame.rows.some(({ diagnosis }) => diagnosis.weight === "trouble");
  process.exitCode = isTrouble ? EXIT.degraded : EXIT.ok;
}

interface Frame {
  readonly overview: Overview;
  readonly rows: readonly LagRow[];
}

async function frameOf(target: Target, { member }: LagFlags): Promise<Frame> {
  const overview = await overviewOf(target);
  // Not waited for long: it only makes them look more closely.
  await Promise.all(overview.members.map(({ apiUrl }) => askClosely(target, apiUrl)));
  return { overview, rows: chosenRows(lagRows(overview.members), member, overview.scope) };
}

async function askClosely(target: Target, apiUrl: string): Promise<void> {
  const url = `${apiUrl}/understudy/lag`;
  await call(target, { method: "GET", url }).catch(() => undefined);
}

function screenOf({ overview, rows }: Frame): string {
  const leader = overview.members.find(({ leads }) => leads);
  const silent = overview.members.filter(({ agent }) => !agent.answers);
  const screen = lagScreen(
    {
      leader: leader === undefined ? undefined : { name: leader.name, report: lagOf(leader) },
      rows,
    },
    width(),
  );
  const lines = silent.map(({ name }) => wrap(`! ${name}: its agent does not answer`, width()));
  return [screen, ...lines].join("\n");
}

function asJson({ overview, rows }: Frame, moments: readonly LagMoment[] | undefined) {
  return {
    apiVersion: "understudy/v1",
    kind: "LagList",
    asOf: overview.asOf,
    scope: overview.scope,
    items: rows,
    ...(moments === undefined ? {} : { history: moments }),
  };
}

/** Of all members: whoever fed a standby has noted it. */
async function historyOf(
  target: Target,
  { overview }: Frame,
  spanMs: number,
): Promise<readonly LagMoment[]> {
  const parts = await Promise.all(
    overview.members.map(async ({ apiUrl }) => {
      const url = `${apiUrl}/understudy/lag?history_ms=${spanMs}`;
      const answer = await call(target, { method: "GET", url }).catch(() => undefined);
      const value = answer?.status === 200 ? plainJson(answer.body) : undefined;
      const items = isObject(value) ? value["history"] : undefined;
      return Array.isArray(items) ? items.flatMap(momentIn) : [];
    }),
  );
  return parts.flat().toSorted((a, b) => a.at - b.at);
}

function momentIn(item: unknown): readonly LagMoment[] {
  if (!isObject(item) || typeof item["at"] !== "string") return [];
  const { behindBytes: bytes, behindMs: ms, ...rest } = item;
  return parseMoment(JSON.stringify({ ...rest, bytes, ms, at: Date.parse(item["at"]) }));
}

function historyPart(moments: readonly LagMoment[] | undefined, spanMs: number): readonly string[] {
  if (moments === undefined) return [];
  if (moments.length === 0) return ["", "no history yet"];
  const toMs = Date.now();
  return ["", ...historyLines(moments, { fromMs: toMs - spanMs, toMs })];
}

export function registerLag(program: Command): void {
  program
    .command("lag")
    .description("where WAL is held up on its way to each standby, and why; ends with 3 if one is")
    .option("--member <standby>", "only this one")
    .option("--history <span>", "how it was before, e.g. 1h")
    .option("--json", "for programs")
    .option("-w, --watch [seconds]", "again and again until interrupted")
    .action(showLag);
}
