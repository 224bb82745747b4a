// Which programs are there? Each becomes one bundle in dist, `<name>.mjs`.

/** @typedef {{ name: string, entry: string, executable?: boolean, onNodes?: boolean }} Program */

/**
 * The programs and their entry points. What runs on nodes is published with the command line, and copied by every lab.
 * @type {readonly Program[]}
 */
export const PROGRAMS = [
  { name: "agent", entry: "src/agent/main.ts", onNodes: true },
  { name: "fence", entry: "src/adapters/fence/main.ts", onNodes: true },
  { name: "vault", entry: "src/vault/main.ts", onNodes: true },
  { name: "releaser", entry: "src/adapters/pgbouncer/releaser.ts", onNodes: true },
  // Started by the agent and the command line when somebody asks.
  { name: "doctor", entry: "src/doctor/main.ts", onNodes: true },
  // Started for one task: it carries what is too heavy for the agent.
  { name: "worker", entry: "src/worker/main.ts", onNodes: true },
  // The agent starts it too, for a game day of the schedule.
  { name: "cli", entry: "src/cli/main.ts", executable: true, onNodes: true },
  // Loaded by the command line only when asked for, so that it stays light.
  { name: "lab", entry: "src/lab/main.ts" },
  { name: "sim", entry: "scenarios/main.ts" },
];

/** The bundles of nodes. A lab reads their names from this file in dist. */
export const NODE_BUNDLES = PROGRAMS.filter(({ onNodes }) => onNodes).map(
  ({ name }) => `${name}.mjs`,
);
export const NODE_BUNDLES_FILE = "node-bundles.json";
