import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { lagCase, MB } from "../../test/support/lag-samples.ts";
import type { LagReport } from "../model/lag/report.ts";
import { openLagHistory } from "./lag-history.ts";

const dir = mkdtempSync(join(tmpdir(), "understudy-lag-"));
beforeEach(() => {
  mkdirSync(dir, { recursive: true });
});
afterEach(() => rmSync(dir, { recursive: true }));

const report = (bytes: number): LagReport => ({
  version: 150_018,
  isStandby: false,
  end: "0/1000000",
  stillMs: 0,
  ageMs: 0,
  samples: 3,
  steadyMs: 20_000,
  standbys: [lagCase({ at: "replay", bytes, ms: bytes === 0 ? 0 : 9_000 }).sent!],
});

it("is there after a restart of the agent, with what each stage held up", async () => {
  await openLagHistory(dir).note(report(MB), 1_000_000);
  expect(await openLagHistory(dir).since(1_000_000)).toEqual([
    { at: 1_000_000, name: "n2", gaps: [0, 0, 0, MB], behindBytes: MB, behindMs: 9_000 },
  ]);
  expect(await openLagHistory(dir).since(1_000_001)).toEqual([]);
});

it("has a line every ten seconds while something is behind, the end of it, and one a minute otherwise", async () => {
  const history = openLagHistory(dir);
  for (let second = 0; second <= 120; second++) {
    const isBehind = second > 60 && second < 85;
    await history.note(report(isBehind ? MB : 0), 1_000_000 + second * 1000);
  }
  const seconds = (await history.since(0)).map(({ at }) => (at - 1_000_000) / 1000);
  expect(seconds).toEqual([0, 60, 70, 80, 90]);
});

it("never takes more than two files of their size", async () => {
  const history = openLagHistory(dir, 1_000);
  for (let n = 1; n <= 200; n++) await history.note(report(MB), n * 10_000);
  expect(readdirSync(dir).toSorted()).toEqual(["lag-history.1.jsonl", "lag-history.jsonl"]);
  for (const name of readdirSync(dir)) expect(statSync(join(dir, name)).size).toBeLessThan(1_200);
  const moments = await history.since(0);
  expect(moments.at(-1)?.at).toBe(2_000_000);
  expect(moments.length).toBeGreaterThan(5);
});

it("reads past a line that was torn", async () => {
  const history = openLagHistory(dir);
  await history.note(report(MB), 1_000);
  writeFileSync(join(dir, "lag-history.jsonl"), '\n{"at":2000,"name":"n', { flag: "a" });
  expect(await history.since(0)).toHaveLength(1);
});
