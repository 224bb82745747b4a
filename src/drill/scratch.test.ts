// What may be swept after drills, and what may not?
import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { readProcess } from "../adapters/system/process-list.ts";
import { openScratch, sweepScratch } from "./scratch.ts";

const root = mkdtempSync(join(tmpdir(), "us-scratch-"));
afterAll(() => rmSync(root, { recursive: true }));

const idOf = (n: number): string => `20261127T082000Z-0000000${n}`;

function folder(n: number, marker: object | undefined): string {
  const path = join(root, idOf(n));
  mkdirSync(path);
  const text = JSON.stringify({ kind: "drill", id: idOf(n), host: hostname(), ...marker });
  if (marker !== undefined) writeFileSync(join(path, "understudy_drill.json"), text);
  return path;
}

test("only what a dead drill of this host has left is removed", async () => {
  const startTime = readProcess(process.pid)?.startTime;
  const dead = folder(1, { pid: process.pid, startTime: 1 });
  mkdirSync(join(dead, "data"));
  writeFileSync(join(dead, "data", "PG_VERSION"), "15");
  folder(2, { pid: process.pid, startTime });
  folder(3, { pid: process.pid, startTime: 1, host: "another" });
  folder(4, { pid: process.pid, startTime: 1, id: idOf(9) });
  folder(5, undefined);
  const old = folder(6, undefined);
  utimesSync(old, 0, 0);
  const somebodys = folder(7, undefined);
  writeFileSync(join(somebodys, "mine"), "");
  utimesSync(somebodys, 0, 0);
  mkdirSync(join(root, "elsewhere"));
  await sweepScratch(root);
  expect(readdirSync(root)).toEqual([idOf(2), idOf(3), idOf(4), idOf(5), idOf(7), "elsewhere"]);
});

test("a drill never takes a directory that is there", async () => {
  const id = idOf(8);
  const { directory } = await openScratch(root, id);
  expect(readdirSync(directory)).toEqual(["s", "understudy_drill.json"]);
  await expect(openScratch(root, id)).rejects.toThrow("EEXIST");
});
