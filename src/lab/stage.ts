// The lab as a stage: a story of faults, played with real processes in real time.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Scenario, StoryReport } from "../scenario/scenario.ts";
import type { Stage } from "../scenario/stage.ts";
import { type Fault, VERB_NAMES } from "../scenario/verbs.ts";
import { takeDown } from "./down.ts";
import { heal } from "./heal.ts";
import { waitForHealthy, waitForPrimary } from "./health.ts";
import { defaultDir, type LabOptions, USUAL_LAB } from "./layout.ts";
import { measure } from "./measure.ts";
import { canPlayVerb, NEEDS_DISK, NEEDS_NAMESPACES, playVerb, type Undo } from "./play.ts";
import type { LabRecord } from "./record.ts";
import { bringUp } from "./up.ts";

/** A story's quiet beginning is short here: the lab is healthy when it begins. */
const FIRST_FAULT_AT_MS = 500;
const LIMIT_MS = 120_000;
const DISK_MEGABYTES = 512;
const FIRED = "the deadline has passed, the server is ended";

/** `name` keeps labs of several stages apart. */
export const labStage = (name: string): Stage => ({
  name: "lab",
  cannot: VERB_NAMES.filter((verb) => !canPlayVerb(verb)),
  play: (scenario) => play(name, scenario),
});

async function play(name: string, scenario: Scenario): Promise<StoryReport> {
  const lab = await bringUp(optionsFor(name, scenario), () => undefined);
  try {
    const first = await waitForPrimary(lab, LIMIT_MS);
    const logged = lab.members.map(({ log }) => sizeOf(log));
    const measurement = await measure(lab, {
      fault: () => playAll(lab, scenario),
      watchMs: 0,
      probe: true,
    });
    await waitForHealthy(lab, LIMIT_MS);
    const last = await waitForPrimary(lab, LIMIT_MS);
    const overlaps = measurement.probes?.overlaps ?? [];
    return {
      violations: overlaps.map((o) => `${o.first.node} and ${o.second.node} both took writes`),
      firstPrimary: first.member.name,
      primaryAtEnd: last.member.name,
      promotions: (last.timeline ?? 0) - (first.timeline ?? 0),
      fences: firings(lab),
      acknowledged: measurement.acknowledged,
      lost: measurement.lost.length,
      notPromised: measurement.notPromised,
      longestPauseMs: measurement.pauseMs,
      reasons: reasonsSince(lab, logged),
    };
  } finally {
    await takeDown(lab);
  }
}

function optionsFor(name: string, { nodes, config = {}, faults }: Scenario): LabOptions {
  const { ttl = USUAL_LAB.ttlSeconds, ...set } = config;
  const namespaces = faults.some(({ verb }) => NEEDS_NAMESPACES.has(verb.do));
  return {
    ...USUAL_LAB,
    name,
    dir: defaultDir(name),
    nodes,
    ttlSeconds: Number(ttl),
    set: Object.fromEntries(Object.entries(set).map(([key, value]) => [key, String(value)])),
    net: namespaces ? "namespaces" : "loopback",
    diskKind: faults.some(({ verb }) => verb.do === "slowDisk") ? "file" : "memory",
    diskMegabytes: faults.some(({ verb }) => NEEDS_DISK.has(verb.do)) ? DISK_MEGABYTES : undefined,
  };
}

/** Every fault at its moment, counted from the first; each undone in time, and the rest at the healing. */
async function playAll(lab: LabRecord, { faults, healAtMs }: Scenario): Promise<void> {
  const earliest = Math.min(healAtMs, ...faults.map(({ atMs }) => atMs));
  const begun = performance.now();
  const until = (atMs: number): Promise<void> =>
    sleep(Math.max(0, begun + FIRST_FAULT_AT_MS + atMs - earliest - performance.now()));
  const playOne = async ({ atMs, forMs, verb }: Fault): Promise<void> => {
    await until(atMs);
    const undo: Undo | undefined = await playVerb(lab, verb);
    if (undo === undefined) return;
    await until(forMs === undefined ? healAtMs : Math.min(atMs + forMs, healAtMs));
    await undo();
  };
  await Promise.all(faults.map(playOne));
  await heal(lab);
}

/** How often a fence has ended a server because its deadline had passed. */
const firings = (lab: LabRecord): number =>
  lab.members
    .map(({ stateDir }) => textOf(join(stateDir, "fence.log")).split(FIRED).length - 1)
    .reduce((sum, count) => sum + count, 0);

/** Every reason that an agent has given since its log had this size. */
function reasonsSince(lab: LabRecord, sizes: readonly number[]): readonly string[] {
  const reasons = lab.members.flatMap(({ log }, index) =>
    [
      ...textOf(log)
        .slice(sizes[index])
        .matchAll(/"reason":"(\w+)"/g),
    ].map(([, reason]) => reason),
  );
  return [...new Set(reasons.filter((reason) => reason !== undefined))];
}

const sizeOf = (file: string): number => textOf(file).length;

const textOf = (file: string): string => (existsSync(file) ? readFileSync(file, "utf8") : "");
