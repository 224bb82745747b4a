// Would the simulated ports have answered as the real ones did? Calls of real agents, asked again of the model.
//
// Calls are replayed in the order in which they ended. What no call explains is a fact of the world and is put into it: an
// agent that starts anew, a server that ended. Compared are kinds, codes, roles, timelines and the growth of positions and
// revisions; times, pids and sizes differ by nature. A look into a verb that is under way belongs to no moment of the replay.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { lookShape } from "../../src/agent/recorder.ts";
import { AppError } from "../../src/model/error.ts";
import { lsn } from "../../src/model/lsn.ts";
import type { LocalServer } from "../../src/model/server.ts";
import { after } from "../../src/model/time.ts";
import type { NodePorts } from "../../src/node/node.ts";
import type { Range } from "../../src/ports/store.ts";
import { agentOn, never, type Room, room } from "../../src/sim/testing.ts";

export interface RecordedCall {
  readonly node: string;
  readonly port: "store" | "postgres" | "fence";
  readonly call: string;
  readonly args: readonly unknown[];
  readonly from: number;
  readonly to: number;
  readonly value?: unknown;
  readonly code?: string;
}

export interface RecordedEvent {
  readonly node: string;
  readonly event: string;
  readonly to: number;
}

export type RecordedLine = RecordedCall | RecordedEvent;

/** How a call went: its value, or the code of its failure. */
interface Outcome {
  readonly value?: unknown;
  readonly code?: string;
}

export interface Replayed {
  readonly compared: number;
  /** Where the model and the recording part, in words. */
  readonly differences: readonly string[];
}

/** Everything is quick, so that the replay never lags behind the leases of the recording. */
const QUICK = {
  startMs: 20,
  replayMs: 5,
  promoteMs: 20,
  stopMs: 10,
  flushMs: 0.3,
  cloneMs: 50,
  rewindMs: 30,
  sqlMs: 1,
};
const CALL = { timeoutMs: 5_000 };
/** When one of these fails, it is for a reason at the other end, of which no call of this agent tells. */
const NEEDS_OTHERS: readonly string[] = ["clone", "rewind"];
/** What a call leaves to be settled: a server that ends, a stream that begins. */
const SETTLE_MS = 30;

/** The lines of every agent that recorded into this folder. */
export const readRecording = (folder: string): readonly RecordedLine[] =>
  readdirSync(folder)
    .filter((file) => file.endsWith(".jsonl"))
    .flatMap((file) => readFileSync(join(folder, file), "utf8").trimEnd().split("\n"))
    .map((line) => JSON.parse(line) as RecordedLine);

/** Asks the simulated ports again; answers where they differ. */
export function replay(lines: readonly RecordedLine[]): Promise<Replayed> {
  return new Replay(lines).play();
}

const isEvent = (line: RecordedLine): line is RecordedEvent => "event" in line;
const isVerb = (line: RecordedLine): line is RecordedCall =>
  !isEvent(line) &&
  (line.call === "killServer" || (line.port === "postgres" && line.call !== "observe"));

class Replay {
  readonly #lines: readonly RecordedLine[];
  readonly #verbs: readonly RecordedCall[];
  readonly #room: Room;
  readonly #agents = new Map<string, ReturnType<typeof agentOn>>();
  /** Nodes whose agent has not looked yet since it began. */
  readonly #strangers = new Set<string>();
  readonly #revisions = new Map<number, number>();
  readonly #differences: string[] = [];
  #compared = 0;

  constructor(lines: readonly RecordedLine[]) {
    this.#lines = inOrder(lines);
    this.#verbs = lines.filter(isVerb);
    this.#room = room(new Set(lines.map(({ node }) => node)).size, QUICK);
  }

  async play(): Promise<Replayed> {
    const begin = this.#lines[0]?.to ?? 0;
    for (const line of this.#lines) {
      const late = line.to - begin - this.#room.cluster.kernel.now;
      if (late > 0) await this.#room.pass(late);
      if (isEvent(line)) await this.#happen(line);
      else await this.#again(line);
    }
    return { compared: this.#compared, differences: this.#differences };
  }

  async #happen({ node, event, to }: RecordedEvent): Promise<void> {
    const host = this.#room.cluster.host(node);
    if (event === "agent-started") {
      this.#agents.get(node)?.process.kill();
      this.#agents.set(node, agentOn(this.#room, node));
      this.#strangers.add(node);
    }
    if (event === "lost") host.fence?.process.kill();
    if (event === "server-exit" && !this.#isUnderWay(node, to, to)) host.server.killPostmaster();
    await this.#room.pass(SETTLE_MS);
  }

  /** Is a verb of this node at work in that time? Then the server is on its way somewhere. */
  #isUnderWay(node: string, from: number, to: number): boolean {
    return this.#verbs.some((v) => v.node === node && v.from <= to && v.to >= from);
  }

  async #again(line: RecordedCall): Promise<void> {
    const agent = this.#agents.get(line.node);
    if (agent === undefined) throw new Error(`${line.node} speaks before its agent has started`);
    const isLook = line.call === "observe";
    if (line.code !== undefined && NEEDS_OTHERS.includes(line.call)) return;
    if (isLook && this.#isUnderWay(line.node, line.from, line.to)) return;
    if (isLook && this.#strangers.delete(line.node)) await this.#begin(line);
    const outcome = await this.#ask(agent, line);
    if (isVerb(line)) await this.#room.pass(SETTLE_MS);
    this.#learn(line, outcome);
    this.#compared += 1;
    const [was, is] = [shape(line, line), shape(line, outcome)].map((s) => JSON.stringify(s));
    if (line.call === "crashEnd" && [was, is].includes('"unknown"')) return; // always allowed (R24)
    if (was === is) return;
    this.#differences.push(`${line.node} ${line.port}.${line.call}: ${was} became ${is}`);
  }

  /** What a new agent finds is the world's doing: a host that died has taken fence and server with it. */
  async #begin(line: RecordedCall): Promise<void> {
    const { server, fence } = this.#room.cluster.host(line.node);
    const found = line.value as ReturnType<typeof lookShape>;
    if (found.process === "running" || server.run === undefined) return;
    server.powerLoss();
    fence?.process.kill();
    await this.#room.pass(SETTLE_MS);
    await this.#room.drive(this.#agents.get(line.node)?.fence.ensure(never()) ?? Promise.resolve());
  }

  async #ask(ports: NodePorts, line: RecordedCall): Promise<Outcome> {
    const port = ports[line.port];
    const call: unknown = Reflect.get(port, line.call);
    if (typeof call !== "function") throw new Error(`no ${line.port}.${line.call}`);
    try {
      const work = Reflect.apply(call, port, this.#arguments(line, ports)) as Promise<unknown>;
      return { value: await this.#room.drive(work) };
    } catch (error) {
      if (error instanceof AppError) return { code: error.code };
      throw error;
    }
  }

  #arguments({ port, call, args, from }: RecordedCall, { clock }: NodePorts): readonly unknown[] {
    const [a, b, c] = args;
    switch (`${port}.${call}`) {
      case "store.range":
      case "store.keepAlive":
        return [a, CALL];
      case "store.grant":
        return [a, b, CALL];
      case "store.commit":
        return [this.#translated(a), b, CALL];
      case "postgres.initialise":
        return [a, () => undefined, never()];
      case "postgres.clone":
      case "postgres.rewind":
        return [upstream(a), b, () => undefined, never()];
      case "postgres.startStandby":
        return [a, upstream(b), c, never()];
      case "postgres.stop":
        return [a, () => Promise.resolve(), never()];
      case "postgres.follow":
        return [upstream(a), never()];
      case "postgres.syncSlots":
        return [a, b, {}, never()];
      case "postgres.crashEnd":
        return [lsn(0), b, c, never()];
      case "postgres.observe":
        return [a, b];
      case "fence.arm":
        return [a, after(clock.now(), Number(b) - from), never()];
      default:
        return [...args.slice(0, -1), never()];
    }
  }

  /** Revisions of the real store in the words of the simulated one. */
  #translated(compares: unknown): unknown {
    const all = compares as readonly { readonly target: string; readonly equals: unknown }[];
    return all.map((compare) =>
      typeof compare.equals === "number" && compare.equals !== 0
        ? { ...compare, equals: this.#revisions.get(compare.equals) ?? -1 }
        : compare,
    );
  }

  #learn(line: RecordedCall, outcome: Outcome): void {
    if (line.call !== "commit") return;
    const [was, is] = [line.value, outcome.value].map(revisionOf);
    if (was !== undefined && is !== undefined) this.#revisions.set(was, is);
  }
}

function revisionOf(commit: unknown): number | undefined {
  const { header } = (commit ?? {}) as { readonly header?: { readonly revision: number } };
  return header?.revision;
}

/** The addresses of a lab are not those of the simulation; the names of its members are. */
function upstream(from: unknown): unknown {
  if (from === null || from === undefined) return undefined;
  const { member, slot } = from as { readonly member: string; readonly slot?: string };
  return { member, host: member, port: 5432, slot };
}

/** Smaller than the clock's own steps: before or after another call of the same moment. */
const NEXT_TO = 0.01;

/**
 * By their ends; but what the store answers bears its revision, and that is the order in which it happened: an answer
 * may have been late on its way to one agent and quick to another.
 */
function inOrder(lines: readonly RecordedLine[]): readonly RecordedLine[] {
  const commits = lines
    .filter((line): line is RecordedCall => !isEvent(line) && isWritten(line))
    .toSorted((a, b) => revisionIn(a) - revisionIn(b));
  const moments = new Map<RecordedLine, number>();
  let earliest = Number.POSITIVE_INFINITY;
  for (const commit of commits.toReversed()) {
    earliest = Math.min(earliest - NEXT_TO, commit.to);
    moments.set(commit, earliest);
  }
  const momentOf = (line: RecordedLine | undefined, otherwise: number): number =>
    (line && moments.get(line)) ?? otherwise;
  for (const line of lines) {
    if (isEvent(line) || line.call !== "range" || line.code !== undefined) continue;
    const revision = revisionIn(line);
    const last = commits.findLast((commit) => revisionIn(commit) <= revision);
    const next = commits.find((commit) => revisionIn(commit) > revision);
    const before = momentOf(next, Number.POSITIVE_INFINITY) - NEXT_TO / 2;
    moments.set(line, Math.max(Math.min(line.to, before), momentOf(last, 0) + NEXT_TO / 2));
  }
  return lines.toSorted((a, b) => momentOf(a, a.to) - momentOf(b, b.to));
}

const isWritten = ({ call, value }: RecordedCall): boolean =>
  call === "commit" && (value as { readonly succeeded?: boolean } | undefined)?.succeeded === true;

const revisionIn = ({ value }: RecordedCall): number => revisionOf(value) ?? 0;

/** What of an outcome is compared. */
function shape({ call }: RecordedCall, { value, code }: Outcome): unknown {
  if (code !== undefined) return { code };
  switch (call) {
    case "commit":
      return (value as { readonly succeeded: boolean }).succeeded;
    case "grant":
    case "keepAlive":
      return typeof value === "string" ? value : "alive";
    case "range":
      return keysOf(value);
    case "promote":
      return (value as { readonly timeline: number }).timeline;
    case "crashEnd":
      return (value as { readonly kind: string }).kind;
    case "killServer":
      return value;
    case "observe":
      return look(value);
    default:
      return "done";
  }
}

/** Keys that hang on no lease: the ends of leases are a matter of time. */
function keysOf(value: unknown): readonly string[] {
  const range = value as Range & { readonly keys?: readonly string[] };
  const keys = range.keys ?? range.entries.map(({ key }) => key);
  return keys.filter((key) => !/\/(?:members\/.*|leader|bootstrap)$/.test(key)).toSorted();
}

/** A standby's timeline follows its upstream's in its own time. */
function look(value: unknown): unknown {
  const isShape = typeof (value as { readonly process: unknown }).process === "string";
  const seen = isShape ? (value as ReturnType<typeof lookShape>) : lookShape(value as LocalServer);
  const { directory, standbySignal, lineage, sql } = seen;
  // Orphans of a dead postmaster end within milliseconds: whether a look still meets them is chance.
  const process = seen.process === "orphans" ? "down" : seen.process;
  const role = sql && {
    inRecovery: sql.inRecovery,
    ...(sql.inRecovery ? {} : { timeline: sql.timeline }),
  };
  return { directory, process, standbySignal, lineage, role };
}
