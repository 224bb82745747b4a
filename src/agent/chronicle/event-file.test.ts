// Do a node's events outlive its agent, within their bounds, and survive a disk that takes nothing?
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { NodeEvent } from "../../model/event.ts";
import { EventFile } from "./event-file.ts";

const event = (seq: number, how = "stop"): NodeEvent => ({
  node: "n1",
  seq,
  at: seq,
  kind: "agent-leaving",
  how,
});

describe("the file of events", () => {
  let folder = "";
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "us-events-"));
  });
  afterEach(async () => {
    await chmod(folder, 0o700);
    await rm(folder, { recursive: true });
  });

  it("is read by another life of the agent, in order", async () => {
    const file = new EventFile(join(folder, "state", "events.jsonl"));
    for (let seq = 1; seq <= 50; seq++) file.add(event(seq));
    await file.flush();
    const next = new EventFile(join(folder, "state", "events.jsonl"));
    next.add(event(51));
    const seqs = (await next.all()).map(({ seq }) => seq);
    expect(seqs).toEqual(Array.from({ length: 51 }, (_, at) => at + 1));
  });

  it("becomes the old one when it is full, and the old one of before goes", async () => {
    const path = join(folder, "events.jsonl");
    const file = new EventFile(path);
    const long = "x".repeat(300_000);
    for (let seq = 1; seq <= 12; seq++) {
      file.add(event(seq, long));
      await file.flush();
    }
    const kept = (await file.all()).map(({ seq }) => seq);
    expect(kept.at(-1)).toBe(12);
    expect(kept[0]).toBeGreaterThan(1);
    const sizes = await Promise.all([path, `${path}.old`].map(async (p) => (await stat(p)).size));
    expect(Math.max(...sizes)).toBeLessThan(1_700_000);
  });

  it("keeps in memory what could not be written, and writes it with what comes later", async () => {
    // A folder where the file should be: nothing can be appended, as on a disk that is full.
    const path = join(folder, "events.jsonl");
    await mkdir(path);
    const file = new EventFile(path);
    file.add(event(1));
    await file.flush();
    expect((await file.all().catch(() => [])).length).toBe(0);
    await rm(path, { recursive: true });
    file.add(event(2));
    await file.flush();
    expect((await file.all()).map(({ seq }) => seq)).toEqual([1, 2]);
    expect((await readFile(path, "utf8")).split("\n")).toHaveLength(3);
  });

  it("leaves out a line that a power cut has cut short, and goes on behind it", async () => {
    const path = join(folder, "events.jsonl");
    await writeFile(path, `${JSON.stringify(event(1))}\n{"node":"n1","se`);
    const file = new EventFile(path);
    file.add(event(2));
    file.add(event(3));
    await file.flush();
    expect((await file.all()).map(({ seq }) => seq)).toEqual([1, 2, 3]);
  });
});
