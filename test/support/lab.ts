// A lab for one test file, and the proof that nothing of it stays behind.
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { afterAll, beforeAll, expect } from "vitest";
import { belongings } from "../../src/lab/belongings.ts";
import { takeDown } from "../../src/lab/down.ts";
import { FAULTS } from "../../src/lab/faults.ts";
import { heal } from "../../src/lab/heal.ts";
import { checkOptions, defaultDir, type LabOptions, USUAL_LAB } from "../../src/lab/layout.ts";
import type { Measurement } from "../../src/lab/measure.ts";
import { linkPrefix } from "../../src/lab/network.ts";
import { type FaultOptions, USUAL_FAULT } from "../../src/lab/order.ts";
import { type LabRecord, registeredLabs } from "../../src/lab/record.ts";
import { segmentOf, segments } from "../../src/lab/shared-memory.ts";
import { bringUp } from "../../src/lab/up.ts";

export const isRoot = process.getuid?.() === 0;

/** Options of a lab with a name of its own, beside whatever runs already. */
export function labOptions(topic: string, more: Partial<LabOptions> = {}): LabOptions {
  const name = `t-${topic}-${process.pid}`;
  return { ...USUAL_LAB, name, dir: defaultDir(name), ...more };
}

/** Brings a lab up before the tests of a file and removes it after them, with a check for leaks. */
export function useLab(topic: string, more: Partial<LabOptions> = {}): () => LabRecord {
  const options = labOptions(topic, more);
  let lab: LabRecord | undefined;
  beforeAll(async () => {
    checkOptions(options);
    lab = await bringUp(options, () => undefined);
  });
  afterAll(async () => {
    if (lab === undefined) return;
    await removeLab(lab);
  });
  return () => {
    if (lab === undefined) throw new Error("the lab is not up");
    return lab;
  };
}

/** Takes a lab down and proves that nothing of it stays behind. */
export async function removeLab(lab: LabRecord): Promise<void> {
  const own = lab.members.map(segmentOf).filter((id) => id !== undefined);
  await takeDown(lab);
  expect(leftovers(lab, own)).toEqual([]);
}

/** What a lab left on this machine, in words. */
function leftovers(lab: LabRecord, ownSegments: readonly number[]): readonly string[] {
  const found: string[] = [];
  for (const { role, node, process } of belongings(lab)) {
    found.push(`process ${process.pid}: ${role} of ${node}`);
  }
  const runDirs = lab.routers.map(({ runDir }) => runDir);
  const places = [lab.dir, ...lab.members.map(({ socketDir }) => socketDir), ...runDirs];
  for (const place of places.filter((path) => existsSync(path))) found.push(`directory ${place}`);
  if (registeredLabs().some(({ name }) => name === lab.name)) found.push(`registry: ${lab.name}`);
  for (const { id } of segments()) {
    if (ownSegments.includes(id)) found.push(`shared memory segment ${id}`);
  }
  if (lab.net === "namespaces") found.push(...networkOf(lab));
  return found;
}

function networkOf(lab: LabRecord): readonly string[] {
  const names = execFileSync("ip", ["-br", "link"], { encoding: "utf8" });
  const namespaces = execFileSync("ip", ["netns", "list"], { encoding: "utf8" });
  return `${names}\n${namespaces}`
    .split("\n")
    .filter((line) => line.startsWith(linkPrefix(lab.name)));
}

/** Makes one fault by its name. */
export async function make(
  lab: LabRecord,
  verb: keyof typeof FAULTS,
  node: string,
  options: Partial<FaultOptions> = {},
): Promise<void> {
  const fault = FAULTS[verb];
  if (fault === undefined) throw new Error(`there is no fault ${verb}`);
  await fault.make({ lab, node, options: { ...USUAL_FAULT, ...options } });
}

/** The two promises of every test: no acknowledged row is lost, no two servers take writes. */
export function expectSafe(measurement: Measurement): void {
  expect(measurement.lost, "acknowledged rows that are lost").toEqual([]);
  expect(measurement.acknowledged).toBeGreaterThan(0);
  expect(measurement.probes?.overlaps ?? [], "two servers took writes").toEqual([]);
}

/**
 * Where agent and fence go together, the server gets no last moment, and asynchronous replication may lose what had not
 * left it at that instant (limit L4): of each worker at most the row that was promised last before its connection broke,
 * nothing earlier.
 */
export function expectOneWriter(measurement: Measurement): void {
  const { lost } = measurement;
  expect(
    lost.filter(({ beforeBreak }) => !beforeBreak),
    "earlier rows are lost",
  ).toEqual([]);
  expect(new Set(lost.map(({ worker }) => worker)).size, "a worker lost two rows").toBe(
    lost.length,
  );
  expect(measurement.acknowledged).toBeGreaterThan(0);
  expect(measurement.probes?.overlaps, "two servers took writes").toEqual([]);
}

export { heal };
