// Do incidents lie on the disk as they were told, each once, and never without end?
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CLUSTER, crashHandOver, partsOf } from "../../../test/support/incident-stories.ts";
import { assembleIncidents } from "../../incident/assemble.ts";
import type { Incident } from "../../incident/incident.ts";
import { readIncidents, writeIncidents } from "./incident-files.ts";

const [first] = assembleIncidents(partsOf(crashHandOver), { ...CLUSTER, missing: [] });
const numbered = (n: number): Incident => ({
  ...(first as Incident),
  id: `I-20261105-${String(n).padStart(6, "0")}`,
  startedAt: n,
});

describe("the files of incidents", () => {
  let folder = "";
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "us-incidents-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it("say the same when they are read again", async () => {
    const all = [numbered(1), numbered(2)];
    await writeIncidents(folder, [], all);
    expect(await readIncidents(folder)).toEqual(JSON.parse(JSON.stringify(all)));
  });

  it("are the newest sixty, and one only for each", async () => {
    const all = Array.from({ length: 70 }, (_, n) => numbered(n));
    await writeIncidents(folder, [], all);
    const ids = (await readIncidents(folder)).map(({ id }) => id);
    expect(ids).toHaveLength(60);
    expect(ids.at(-1)).toBe(numbered(69).id);
    await writeIncidents(folder, all, all.slice(-1));
    expect(await readdir(folder)).toEqual([`${numbered(69).id}.json`]);
  });

  it("leave out what is damaged or somebody else's, and touch no other file", async () => {
    await writeFile(join(folder, "I-20261105-000001.json"), '{"id":"I-2026');
    await writeFile(join(folder, "notes.txt"), "mine");
    await writeIncidents(folder, [], [numbered(2)]);
    expect((await readIncidents(folder)).map(({ id }) => id)).toEqual([numbered(2).id]);
    expect(await readdir(folder)).toContain("notes.txt");
  });
});
