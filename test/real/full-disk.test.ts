// On a full disk the agent's own facts are still written: the room kept back for them is given up (R43).
import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statfsSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { NODE_STATE_NAME, openNodeState } from "../../src/adapters/system/node-state.ts";
import { isRoot } from "../support/lab.ts";

const SIZE = "size=4m";
const at = { folder: "" };

// Mounting belongs to root.
describe.runIf(isRoot)("the agent's facts", () => {
  beforeEach(() => {
    at.folder = mkdtempSync(join(tmpdir(), "us-full-disk-"));
    execFileSync("mount", ["-t", "tmpfs", "-o", SIZE, "us-full-disk", at.folder]);
  });
  afterEach(() => {
    execFileSync("umount", [at.folder]);
    rmSync(at.folder, { recursive: true });
  });

  const written = (): unknown =>
    JSON.parse(readFileSync(join(at.folder, NODE_STATE_NAME), "utf8")) as unknown;

  it("are written on a full disk, from the megabyte that was kept back for them", async () => {
    const reserve = join(at.folder, "reserve");
    const state = await openNodeState(at.folder);
    await state.update({ leaseId: "1" });
    expect(statSync(reserve).size).toBe(1024 * 1024);
    const { bavail, bsize } = statfsSync(at.folder);
    writeFileSync(join(at.folder, "ballast"), Buffer.alloc(bavail * bsize, 1));
    await state.update({ leaseId: "2" });
    expect(written()).toMatchObject({ leaseId: "2" });
    expect(existsSync(reserve)).toBe(false);
    // Nothing is kept back any more, and what was written stays what it is when even that is gone.
    const left = statfsSync(at.folder);
    writeFileSync(join(at.folder, "more"), Buffer.alloc(left.bavail * left.bsize, 1));
    await expect(state.update({ leaseId: "3" })).rejects.toMatchObject({ code: "PG_DISK_FULL" });
    expect(state.current().leaseId).toBe("2");
    expect(written()).toMatchObject({ leaseId: "2" });
    rmSync(join(at.folder, "ballast"));
    await state.update({ leaseId: "4" });
    expect(statSync(reserve).size).toBe(1024 * 1024);
  });
});
