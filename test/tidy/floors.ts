// Who may import whom. This table is the architecture: floors.test.ts compares every import with it.
// Paths are folders (or single files) under src/; the longest one that holds a file is its floor.

export interface Floor {
  readonly path: string;
  /** Paths under src/ that it may import, besides itself. */
  readonly may: readonly string[];
  /** npm packages that it may import; "any" for the floors that face the outside. */
  readonly packages?: readonly string[] | "any";
  /** May it import `node:` modules? */
  readonly node?: boolean;
  /** Only types may be imported. */
  readonly typesOnly?: boolean;
  /** Rooms are folders below this one that never import each other. */
  readonly rooms?: boolean;
  /** Time, randomness and the process reach it through ports alone. */
  readonly noGlobals?: boolean;
}

const CORE = ["model", "ports", "dcs", "controllers", "runtime", "node"];

export const FLOORS: readonly Floor[] = [
  { path: "model", may: [], packages: ["yaml"], noGlobals: true },
  { path: "ports", may: ["model"], typesOnly: true, noGlobals: true },
  { path: "dcs", may: ["model", "ports"], noGlobals: true },
  { path: "controllers/controller.ts", may: ["model"], noGlobals: true },
  {
    path: "controllers",
    may: ["model", "ports", "dcs", "controllers/controller.ts"],
    rooms: true,
    noGlobals: true,
  },
  { path: "runtime", may: ["model", "ports", "dcs", "controllers/controller.ts"], noGlobals: true },
  { path: "node", may: ["model", "ports", "dcs", "controllers", "runtime"], noGlobals: true },
  // What happened, told from the events of all nodes: pure, for agents and the command line alike.
  { path: "incident", may: ["model"], noGlobals: true },
  { path: "scenario", may: ["model"], noGlobals: true },
  { path: "sim", may: [...CORE, "scenario"], noGlobals: true },
  // Where the simulator meets the machine: arguments, wall time, worker threads.
  { path: "sim/main.ts", may: [...CORE, "scenario", "sim"], node: true },
  { path: "sim/worker.ts", may: [...CORE, "scenario", "sim"], node: true },
  {
    path: "adapters",
    may: ["model", "ports", "adapters/http", "adapters/system"],
    rooms: true,
    node: true,
    packages: "any",
  },
  // Short-lived, for what is too heavy for an agent: object stores, long copies. It knows no loop and no lease.
  {
    path: "worker",
    may: ["model", "ports", "adapters", "backup", "drill"],
    node: true,
    packages: "any",
  },
  // The worker beside an agent that reads, packs and sends WAL: a program of its own, so that the loop never waits for it.
  { path: "vault", may: ["model", "ports", "adapters"], node: true, packages: "any" },
  // What moves whole databases; only the worker carries it out.
  {
    path: "backup",
    may: ["model", "ports", "adapters"],
    node: true,
    packages: ["hash-wasm"],
  },
  // Restores a backup and recovers the copy, to see whether it can be or for a new cluster: above what moves databases,
  // carried out by the worker too.
  { path: "drill", may: ["model", "ports", "adapters", "backup"], node: true },
  { path: "agent", may: [...CORE, "adapters", "incident"], node: true, packages: "any" },
  // A program of its own: what it needs to look at a host is nothing that an agent should carry all day.
  { path: "doctor", may: ["model", "adapters"], node: true },
  {
    path: "cli",
    // One file tells what a node's file means here: it must mean the same to the command line as to the agent.
    may: [
      "model",
      "incident",
      "agent/api/client.ts",
      "adapters/http",
      "adapters/system/node-file.ts",
    ],
    node: true,
    packages: ["commander", "picocolors", "yaml"],
  },
  {
    path: "lab",
    may: [...CORE, "adapters", "agent", "vault", "scenario"],
    node: true,
    packages: "any",
  },
  {
    path: "console",
    may: ["model", "agent/api"],
    packages: ["preact", "@preact/signals", "uplot"],
  },
  { path: "client", may: ["model"], packages: ["pg"], node: true },
];

/** The stages on which the stories of `scenarios/` are played. */
export const STAGES = ["sim", "lab"] as const;

/**
 * Tests beside the code may reach further: the simulator is the only mock, and they may use `node:`
 * and the test libraries.
 */
export const TESTS_MAY = {
  paths: ["sim"],
  packages: ["vitest", "fast-check"],
} as const;

/**
 * Everything a decision can reach is a pure function: from these files no import of a value may lead to
 * a port, a transaction, or the part of a room that acts. A type can do nothing, so it may come along.
 */
export const PURE_ROOTS = /^controllers\/[^/]+\/(decide|world|steps)\.ts$/;
export const PURE_REACH = ["model", "controllers/controller.ts"];
export const IMPURE_IN_ROOM = /\/(observe|act)\.ts$/;

/**
 * Above the adapters these would read the real clock, the real dice or the real process. The linter
 * looks for them, since it knows scopes; floors.test.ts checks that it looks on every such floor.
 */
export const BANNED_GLOBALS = [
  "Date",
  "clearInterval",
  "clearTimeout",
  "console",
  "crypto",
  "fetch",
  "globalThis",
  "performance",
  "process",
  "setImmediate",
  "setInterval",
  "setTimeout",
] as const;
export const BANNED_PROPERTIES = ["Math.random", "AbortSignal.timeout"] as const;
