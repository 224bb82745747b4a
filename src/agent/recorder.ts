// What does this agent ask of its store, its server and its fence, and what is it told? One line of JSON a call.
//
// Only for proofs: the calls of a real cluster are replayed against the simulated ports (test/contract/replay.ts).
// Nothing is recorded unless the environment names a folder.
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { AppError } from "../model/error.ts";
import type { LocalServer } from "../model/server.ts";
import type { NodePorts } from "../node/node.ts";
import type { Range } from "../ports/store.ts";

/** Names the folder in which each agent appends to `<node>.jsonl`. */
export const RECORDING_FOLDER = "UNDERSTUDY_RECORD_CALLS";

const RECORDED = {
  store: ["range", "commit", "grant", "keepAlive"],
  postgres: [
    "observe",
    "initialise",
    "finishBootstrap",
    "clone",
    "rewind",
    "discardHalfBootstrap",
    "startStandby",
    "startPrimary",
    "stop",
    "follow",
    "promote",
    "recordLineage",
    "applySettings",
    "syncSlots",
    "crashEnd",
  ],
  fence: ["ensure", "adopt", "arm", "disarm", "killServer"],
} as const satisfies { readonly [P in keyof NodePorts]?: readonly (keyof NodePorts[P])[] };

type Write = (line: object) => void;

/** The ports of a node, recorded into `folder`; the very same ports when there is none. */
export function recorded(ports: NodePorts, node: string, folder: string | undefined): NodePorts {
  if (folder === undefined) return ports;
  const file = join(folder, `${node}.jsonl`);
  const { clock } = ports;
  const write: Write = (line) =>
    appendFileSync(file, `${JSON.stringify({ node, ...line }, plain)}\n`, { mode: 0o600 });
  const now = (): number => Math.round(clock.now());
  const onPort = <T extends object>(port: T, name: keyof typeof RECORDED): T =>
    withCalls(port, RECORDED[name], (call, args, answer) => {
      const from = now();
      const end = (outcome: object): void =>
        write({ port: name, call, args: args.map(argument), from, to: now(), ...outcome });
      answer.then(
        (value) => end({ value: shapeOf(value) }),
        (error: unknown) => end({ code: error instanceof AppError ? error.code : "UNEXPECTED" }),
      );
    });
  write({ event: "agent-started", to: now() });
  ports.fence.onEvent((event) => write({ event: event.kind, to: now() }));
  return {
    ...ports,
    store: onPort(ports.store, "store"),
    postgres: onPort(ports.postgres, "postgres"),
    fence: onPort(ports.fence, "fence"),
  };
}

function withCalls<T extends object>(
  port: T,
  names: readonly string[],
  onCall: (call: string, args: readonly unknown[], answer: Promise<unknown>) => void,
): T {
  return new Proxy(port, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== "function") return value;
      return (...args: readonly unknown[]): unknown => {
        const answer: unknown = Reflect.apply(value, target, args);
        if (typeof name === "string" && names.includes(name) && answer instanceof Promise)
          onCall(name, args, answer);
        return answer;
      };
    },
  });
}

const argument = (value: unknown): unknown =>
  typeof value === "function" || value instanceof AbortSignal ? null : value;

const plain = (_key: string, value: unknown): unknown =>
  typeof value === "bigint" ? Number(value) : value;

/** Looks are large, and only what both worlds can have alike is compared: kinds, not pids and sizes. */
function shapeOf(value: unknown): unknown {
  if (isLook(value)) return lookShape(value);
  if (isRange(value)) return { header: value.header, keys: value.entries.map(({ key }) => key) };
  return value;
}

const isLook = (value: unknown): value is LocalServer =>
  typeof value === "object" && value !== null && "directory" in value && "sql" in value;
const isRange = (value: unknown): value is Range =>
  typeof value === "object" && value !== null && "entries" in value;

/** What two looks at a server have in common when both worlds agree. */
export const lookShape = ({ directory, process, sql, lineage, standbySignal }: LocalServer) => ({
  directory,
  process: process.kind,
  standbySignal,
  lineage: lineage.map(({ timeline, term }) => [timeline, term]),
  sql:
    sql.kind === "unknown"
      ? undefined
      : {
          inRecovery: sql.value.inRecovery,
          timeline: sql.value.timeline,
          position: sql.value.position,
        },
});
