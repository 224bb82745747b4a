// Stories of trouble as events: what three members and a router told in a lab, with round times.
import type { EventBody, NodeEvent } from "../../src/model/event.ts";
import type { NodeEvents } from "../../src/model/merged-events.ts";

/** An event, `at` in milliseconds behind the beginning of the story. */
export type Said = { readonly at: number; readonly node: string } & EventBody;

const BEGIN = 1_795_392_000_000;

export const CLUSTER = { members: ["n1", "n2", "n3"], routers: ["r1"] };

/** The events by node, as each would answer. */
export function partsOf(said: readonly Said[]): readonly NodeEvents[] {
  const nodes = [...new Set(said.map(({ node }) => node))];
  return nodes.map((node) => ({
    node,
    events: said
      .filter((one) => one.node === node)
      .map((one, seq): NodeEvent => ({ ...one, at: BEGIN + one.at, seq })),
    offset: { aheadMs: 0, doubtMs: 1 },
  }));
}

const leads = (at: number, name: string, term: number): readonly Said[] =>
  ["n1", "n2", "n3"].map((node) => ({ at, node, kind: "leader", name, term }));

const well = (at: number, node: string, term: number): Said => ({
  at,
  node,
  kind: "decision",
  because: "leading",
  term,
});

/** From the won lease on, as every new primary goes. */
const promotion = (at: number, node: string, term: number, fork: string): readonly Said[] => [
  {
    at,
    node,
    kind: "elected",
    term,
    sync: "off",
    chosen: `${node} leads from ${fork}; the other is as far`,
  },
  { at: at + 150, node, kind: "decision", because: "lead_promoting", term },
  { at: at + 480, node, kind: "server", look: "primary", timeline: term, position: fork },
  { at: at + 480, node, kind: "branch", timeline: term, term, fork },
  well(at + 480, node, term),
  { at: at + 620, node: "r1", kind: "route", because: "routing", primary: node, term },
];

/** n1's postmaster is killed; n2 has every byte and takes over, both others stream from it. */
export const crashHandOver: readonly Said[] = [
  { at: -9_000, node: "n1", kind: "server", look: "primary", timeline: 1, position: "0/4000000" },
  ...leads(-9_000, "n1", 4),
  well(-9_000, "n1", 4),
  { at: 0, node: "n1", kind: "server-exit", pid: 4711, signal: "SIGKILL" },
  {
    at: 10,
    node: "n1",
    kind: "evidence",
    oomKills: 0,
    diskFreeBytes: 10_000_000_000,
    logLines: ["FATAL:  terminating connection due to unexpected postmaster exit"],
  },
  { at: 80, node: "n1", kind: "decision", because: "crash_examining", term: 4 },
  { at: 150, node: "n1", kind: "crash-end", position: "0/41B5858" },
  { at: 200, node: "n1", kind: "decision", because: "crash_handing_over", term: 4 },
  { at: 250, node: "n1", kind: "step", step: "release", ok: true },
  { at: 320, node: "n3", kind: "leader", before: "n1", end: "0/41B5858", stillMs: 90 },
  { at: 325, node: "n2", kind: "leader", before: "n1", end: "0/41B5858", stillMs: 95 },
  { at: 325, node: "n2", kind: "decision", because: "race_acquiring" },
  ...promotion(500, "n2", 37, "0/41B5858"),
  ...leads(520, "n2", 37),
  { at: 3_200, node: "n2", kind: "standby", name: "n1", streams: true },
  { at: 3_200, node: "n2", kind: "standby", name: "n3", streams: true },
];

/** n1's disk is full and has room again; two seconds later n1's server hangs, and n2 takes over. */
export const hangsAfterFullDisk: readonly Said[] = [
  ...leads(-60_000, "n1", 4),
  well(-60_000, "n1", 4),
  { at: -4_100, node: "n1", kind: "decision", because: "lead_disk_full", term: 4 },
  {
    at: -4_000,
    node: "n1",
    kind: "evidence",
    oomKills: 0,
    diskFreeBytes: 4096,
    logLines: ["PANIC:  could not write to file: No space left on device"],
  },
  well(-2_000, "n1", 4),
  { at: 0, node: "n1", kind: "decision", because: "server_hung", term: 4 },
  { at: 80, node: "n1", kind: "decision", because: "crash_examining", term: 4 },
  { at: 200, node: "n1", kind: "decision", because: "crash_handing_over", term: 4 },
  { at: 325, node: "n2", kind: "leader", before: "n1", end: "0/41B5858", stillMs: 95 },
  ...promotion(500, "n2", 37, "0/41B5858"),
  ...leads(520, "n2", 37),
];

const onPurpose: Said = {
  at: -2,
  node: "n1",
  kind: "game-day",
  id: "G-20261127-120000",
  by: "ann",
};
/** The same, and its own agent had said the moment before that it was on purpose. */
export const gameDay: readonly Said[] = [...crashHandOver, onPurpose].toSorted(
  (a, b) => a.at - b.at,
);

/** n2, which leads, falls silent for ever; n3 takes over when its lease has surely run out. */
export const hostDies: readonly Said[] = [
  ...leads(-5_000, "n2", 40),
  well(-5_000, "n2", 40),
  { at: 8_200, node: "n3", kind: "decision", because: "race_removing_stale_leader" },
  { at: 8_200, node: "n3", kind: "peer", name: "n2", answers: false, why: "no route to the host" },
  { at: 8_300, node: "n3", kind: "leader", before: "n2", end: "0/41DDFC0", stillMs: 8_300 },
  { at: 8_310, node: "n1", kind: "leader", before: "n2", end: "0/41DDFC0", stillMs: 8_310 },
  ...promotion(8_620, "n3", 73, "0/41DDFC0"),
  ...leads(8_700, "n3", 73),
  { at: 11_500, node: "n3", kind: "standby", name: "n1", streams: true },
];

/** A person asks for a switchover from n1 to n2. */
export const switchover: readonly Said[] = [
  ...leads(-5_000, "n1", 4),
  well(-5_000, "n1", 4),
  { at: 0, node: "n1", kind: "wish", from: "n1", to: "n2", open: true },
  { at: 10, node: "n1", kind: "decision", because: "switchover_waiting_for_routers", term: 4 },
  { at: 200, node: "n1", kind: "decision", because: "switchover_stopping", term: 4 },
  { at: 350, node: "n1", kind: "server-exit", pid: 4711, code: 0 },
  { at: 400, node: "n1", kind: "decision", because: "switchover_handing_over", term: 4 },
  { at: 420, node: "n1", kind: "step", step: "release", ok: true },
  { at: 430, node: "n2", kind: "leader", before: "n1", end: "0/5000000", stillMs: 60 },
  ...promotion(500, "n2", 50, "0/5000000"),
  ...leads(550, "n2", 50),
  { at: 1_100, node: "n2", kind: "standby", name: "n1", streams: true },
  { at: 1_100, node: "n2", kind: "standby", name: "n3", streams: true },
];

/** n1 leads on by its peers' promises while these nodes cannot read the store. */
export const storeAway = (nodes: readonly string[]): readonly Said[] => [
  ...leads(-5_000, "n1", 4),
  well(-5_000, "n1", 4),
  ...nodes.map(
    (node): Said => ({ at: 0, node, kind: "store", readable: false, why: "no endpoint answers" }),
  ),
  ...(nodes.includes("n1")
    ? ([
        { at: 5, node: "n1", kind: "decision", because: "store_unread_peers_promised", term: 4 },
        { at: 9_000, node: "n1", kind: "store", readable: true },
        well(9_000, "n1", 4),
      ] satisfies readonly Said[])
    : []),
];
