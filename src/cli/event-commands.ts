// The command that shows what happened on all nodes, in one order, and what goes on to happen.
import { setTimeout as sleep } from "node:timers/promises";
import type { Command } from "commander";
import pc from "picocolors";
import { asEvent, eventText, type NodeEvent } from "../model/event.ts";
import { clockNotes, mergeEvents, type NodeEvents, offsetOf } from "../model/merged-events.ts";
import { parseDuration } from "../model/wire/duration.ts";
import { parseRfc3339, printRfc3339 } from "../model/wire/rfc3339.ts";
import { CliFailure, EXIT } from "./exit.ts";
import { call, listIn, look } from "./rest.ts";
import { type Shared, targetOf } from "./shared.ts";
import type { Target } from "./target.ts";
import { print, printJsonText, say } from "./terminal.ts";

const FOLLOW_EVERY_MS = 1_000;
const MOST_EVENTS = 10_000;

interface EventFlags extends Shared {
  readonly lines: string;
  readonly since?: string;
  readonly member?: string;
  readonly follow?: boolean;
}

interface Source {
  readonly name: string;
  readonly url: string;
}

/** What was told by each node that answered, where its events go on, and who did not answer. */
interface Gathered {
  readonly parts: readonly NodeEvents[];
  readonly next: ReadonlyMap<string, number>;
  readonly silent: readonly string[];
}

async function showEvents(_: unknown, command: Command): Promise<void> {
  const flags = command.optsWithGlobals<EventFlags>();
  const sinceMs = flags.since === undefined ? undefined : momentOf(flags.since, Date.now());
  const most = countOf(flags.lines);
  const target = targetOf(flags);
  const sources = await sourcesOf(target, flags.member);
  const first = await gather(target, sources, new Map());
  const merged = mergeEvents(first.parts).filter(({ at }) => at >= (sinceMs ?? 0));
  const items = sinceMs === undefined ? merged.slice(-most) : merged;
  const warnings = [
    ...first.silent.map((name) => `${name} does not answer: its events are missing here`),
    ...clockNotes(first.parts),
  ];
  if (flags.json === true && flags.follow !== true) {
    const asOf = printRfc3339(Date.now());
    const told = items.map(asItem);
    printJsonText({ apiVersion: "understudy/v1", kind: "Events", asOf, warnings, items: told });
    return;
  }
  for (const warning of warnings) say(pc.yellow(`! ${warning}`));
  show(items, flags);
  if (flags.follow === true) await follow(target, sources, first.next, flags);
  else if (items.length === 0) say("nothing happened in this time");
}

/** Until interrupted. A node that is silent for a while is asked again: nothing of it is left out. */
async function follow(
  target: Target,
  sources: readonly Source[],
  begin: ReadonlyMap<string, number>,
  flags: EventFlags,
): Promise<void> {
  const stopped = new AbortController();
  process.once("SIGINT", () => stopped.abort());
  let next = begin;
  while (!stopped.signal.aborted) {
    await sleep(FOLLOW_EVERY_MS, undefined, { signal: stopped.signal }).catch(() => undefined);
    if (stopped.signal.aborted) return;
    const more = await gather(target, sources, next);
    next = new Map([...next, ...more.next]);
    show(mergeEvents(more.parts), flags);
  }
}

async function sourcesOf(target: Target, member: string | undefined): Promise<readonly Source[]> {
  const { members, routers = [], scope } = await look(target);
  const all = [...members, ...routers].map(({ name, apiUrl }) => ({ name, url: apiUrl }));
  const distinct = all.filter(({ name }, at) => all.findIndex((s) => s.name === name) === at);
  const chosen = distinct.filter(({ name }) => member === undefined || name === member);
  if (chosen.length > 0) return chosen;
  const names = distinct.map(({ name }) => name).join(", ");
  throw new CliFailure(EXIT.noSuchThing, `${scope} has no node ${member ?? ""}`, `it has ${names}`);
}

/** All nodes at the same time, each from where its last answer ended. */
async function gather(
  target: Target,
  sources: readonly Source[],
  after: ReadonlyMap<string, number>,
): Promise<Gathered> {
  const parts: NodeEvents[] = [];
  const next = new Map<string, number>();
  const silent: string[] = [];
  await Promise.all(
    sources.map(async ({ name, url }) => {
      const part = await partOf(target, url, after.get(name) ?? 0).catch(() => undefined);
      if (part === undefined) {
        silent.push(name);
        return;
      }
      parts.push({ node: name, events: part.events, offset: part.offset });
      next.set(name, part.next);
    }),
  );
  return { parts, next, silent: silent.toSorted() };
}

async function partOf(target: Target, apiUrl: string, after: number) {
  const url = `${apiUrl}/understudy/events?after=${after}&limit=${MOST_EVENTS}`;
  const askedAt = Date.now();
  const told = listIn(await call(target, { method: "GET", url }));
  if (told === undefined) return undefined;
  const asOf = parseRfc3339(String(told.whole["asOf"])) ?? askedAt;
  const events = told.items.flatMap((item: unknown) => asEvent(item) ?? []);
  const { next: said } = told.whole;
  const next = typeof said === "number" ? said : after;
  return { events, next, offset: offsetOf(askedAt, Date.now(), asOf) };
}

function show(items: readonly NodeEvent[], { json }: EventFlags): void {
  for (const event of items) {
    if (json === true) printJsonText(asItem(event), true);
    else print(lineOf(event));
  }
}

const asItem = (event: NodeEvent) => ({
  ...event,
  at: printRfc3339(event.at),
  text: eventText(event),
});

/** `14:03:07.412 n1  the server process 4711 ended by SIGKILL`. */
function lineOf(event: NodeEvent): string {
  const moment = printRfc3339(event.at).replace("T", " ").slice(0, 23);
  return `${pc.dim(moment)} ${pc.bold(event.node)}  ${eventText(event)}`;
}

/** `30m` ago, or a moment in RFC 3339. */
function momentOf(written: string, now: number): number {
  const ago = parseDuration(written.replace(/^(\s*[\d.]+\s*)m\s*$/, "$1min"));
  if (ago !== undefined) return now - ago;
  const at = parseRfc3339(written);
  if (at !== undefined) return at;
  const next = "write it like 30m, 2h or 2026-11-05T13:07:00Z";
  throw new CliFailure(EXIT.usage, `--since ${written} is not possible`, "it is no time", next);
}

function countOf(written: string): number {
  if (/^\d+$/.test(written) && Number(written) <= MOST_EVENTS) return Number(written);
  const why = `it must be a number up to ${MOST_EVENTS}`;
  throw new CliFailure(
    EXIT.usage,
    `--lines ${written} is not possible`,
    why,
    "leave it out for 50",
  );
}

export function registerEvents(program: Command): void {
  program
    .command("events")
    .description("what happened on all nodes, in one order")
    .option("-n, --lines <n>", "how many at the most, unless --since is given", "50")
    .option("--since <when>", "everything from then on: 30m, 2h, or a moment with its zone")
    .option("--member <name>", "of this node alone")
    .option("-f, --follow", "go on until interrupted")
    .option("--json", "for programs; with --follow a line for each event")
    .action(showEvents);
}
