// Does a follower of a log get every line once, and whole?
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { lastLines, linesSince } from "./log-tail.ts";

function logFile(text: string): string {
  const dir = mkdtempSync(join(tmpdir(), "us-log-"));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const file = join(dir, "log");
  writeFileSync(file, text);
  return file;
}

it("the last lines, and from there what comes, whole lines only", async () => {
  const file = logFile("one\ntwo\nthree\n");
  const first = await lastLines(file, 2);
  expect(first).toEqual({ lines: ["two", "three"], next: 14 });
  expect(await linesSince(file, 14)).toEqual({ lines: [], next: 14 });
  appendFileSync(file, "four\nfi");
  const second = await linesSince(file, 14);
  expect(second).toEqual({ lines: ["four"], next: 19 });
  appendFileSync(file, "ve\n");
  expect(await linesSince(file, 19)).toEqual({ lines: ["five"], next: 24 });
});

it("all of a file that was begun anew, and nothing of one that is not there", async () => {
  const file = logFile("new\n");
  expect(await linesSince(file, 100)).toEqual({ lines: ["new"], next: 4 });
  expect(await lastLines(`${file}.gone`, 5)).toEqual({ lines: [], next: undefined });
  expect(await lastLines(undefined, 5)).toEqual({ lines: [], next: undefined });
});
