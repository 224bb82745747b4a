import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { asFileError, readIfPresent, removeDurably, writeDurably } from "./durable-file.ts";
import {
  judgeHostIdentity,
  readHostIdentity,
  readRecordedIdentity,
  recordIdentity,
} from "./host-identity.ts";
import { NODE_STATE_NAME, openNodeState, parseNodeState } from "./node-state.ts";
import { ensureReserve, releaseReserve } from "./reserve-file.ts";

const at = { folder: "" };
beforeEach(() => {
  at.folder = mkdtempSync(join(tmpdir(), "us-durable-"));
});
afterEach(() => rmSync(at.folder, { recursive: true, force: true }));

describe("durable files", () => {
  it("replaces the whole text, with the mode asked for, and leaves nothing else behind", async () => {
    const path = join(at.folder, "a");
    await writeDurably(path, "one");
    await writeDurably(path, "two", { mode: 0o640 });
    expect(await readIfPresent(path)).toBe("two");
    expect(statSync(path).mode & 0o777).toBe(0o640);
    expect(readdirSync(at.folder)).toEqual(["a"]);
    await removeDurably(path);
    await removeDurably(path);
    expect(await readIfPresent(path)).toBeUndefined();
  });

  it("says which failure a full disk is", async () => {
    const full = Object.assign(new Error("no space"), { code: "ENOSPC" });
    expect(asFileError(full, "x").code).toBe("PG_DISK_FULL");
    await expect(writeDurably(join(at.folder, "none", "a"), "x")).rejects.toMatchObject({
      code: "NOT_POSSIBLE",
    });
    await expect(writeDurably("/dev/full/x", "x")).rejects.toMatchObject({ code: "NOT_POSSIBLE" });
  });
});

describe("node state", () => {
  it("merges updates, also concurrent ones, and finds them again", async () => {
    const state = await openNodeState(join(at.folder, "state"));
    expect(state.current().leaseId).toBeUndefined();
    const store = { clusterId: "7", revision: 12 };
    await Promise.all([state.update({ leaseId: "42" }), state.update({ store })]);
    await state.update({ config: "ttl: 5", bootstrapping: true });
    const again = await openNodeState(join(at.folder, "state"));
    expect(again.current()).toEqual({
      leaseId: "42",
      store,
      config: "ttl: 5",
      bootstrapping: true,
    });
    await again.update({ bootstrapping: undefined });
    expect((await openNodeState(join(at.folder, "state"))).current().bootstrapping).toBeUndefined();
  });

  it("finds again what it wrote of the store and of a restart for later", async () => {
    const state = await openNodeState(join(at.folder, "state"));
    const store = {
      clusterId: "7",
      revision: 12,
      systemId: "70",
      branchTerm: 9,
      leader: { name: "n1", term: 11 },
      members: { n1: "http://n1:8008", n2: "http://n2:8008" },
      succession: "a",
    };
    const scheduledRestart = {
      at: "2030-01-01T00:00:00Z",
      atMs: 1,
      role: "primary",
      belowVersion: "15.4",
      onlyPending: true,
      timeoutMs: 5,
      serverStartedAt: "then",
    };
    await state.update({ store, scheduledRestart });
    const again = await openNodeState(join(at.folder, "state"));
    expect(again.current()).toMatchObject({ store, scheduledRestart });
    const damaged = { store: { ...store, leader: "n1", members: { n1: 5 } }, scheduledRestart: {} };
    expect(parseNodeState(JSON.stringify(damaged))).toMatchObject({
      store: { leader: undefined, members: {} },
      scheduledRestart: undefined,
    });
  });

  it("takes a damaged file for knowing nothing", async () => {
    writeFileSync(join(at.folder, NODE_STATE_NAME), "{");
    expect((await openNodeState(at.folder)).current()).toEqual(parseNodeState(undefined));
    expect(parseNodeState('{"leaseId": 5, "store": {"clusterId": "x"}}')).toEqual(
      parseNodeState(undefined),
    );
    expect(parseNodeState("null")).toEqual(parseNodeState(undefined));
  });
});

describe("host identity", () => {
  const here = { bootId: "b", pidNamespace: "p", ipcNamespace: "i", hostId: "h" };

  it.each([
    [undefined, "first"],
    [here, "same"],
    [{ ...here, bootId: "a" }, "rebooted"],
    [{ ...here, pidNamespace: "q" }, "other-namespaces"],
    [{ ...here, ipcNamespace: "q" }, "other-namespaces"],
    [{ ...here, bootId: "a", hostId: "g" }, "other-host"],
    // Two containers of one boot may call their host by different names.
    [{ ...here, hostId: "g" }, "same"],
  ] as const)("judges %j as %s", (recorded, verdict) => {
    expect(judgeHostIdentity(recorded, here)).toBe(verdict);
  });

  it("knows this host again, and trusts no damaged record", async () => {
    const now = readHostIdentity({ machineIdFile: join(at.folder, "none"), hostName: () => "n" });
    expect(now.hostId).toBe("name:n");
    expect(await readRecordedIdentity(at.folder)).toBeUndefined();
    await recordIdentity(at.folder, now);
    expect(judgeHostIdentity(await readRecordedIdentity(at.folder), now)).toBe("same");
    writeFileSync(join(at.folder, "host.json"), "{");
    expect(judgeHostIdentity(await readRecordedIdentity(at.folder), now)).toBe("other-host");
  });
});

describe("reserve", () => {
  it("holds real blocks until it is given back", async () => {
    const path = join(at.folder, "reserve");
    expect(await ensureReserve(path)).toBe(true);
    expect(await ensureReserve(path)).toBe(true);
    expect(statSync(path).blocks * 512).toBeGreaterThanOrEqual(1024 * 1024);
    await releaseReserve(path);
    expect(readdirSync(at.folder)).toEqual([]);
  });
});
