// A virtual address in networks of its own: it moves, it is seen by its neighbours, and the kernel ends it with the lease.
import { execFileSync } from "node:child_process";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createDoorCommand } from "../../src/adapters/front-door/door-command.ts";
import { createVirtualAddress } from "../../src/adapters/front-door/virtual-address.ts";
import { createClock } from "../../src/adapters/system/clock.ts";
import { createLog } from "../../src/adapters/system/log.ts";
import type { FrontDoor } from "../../src/ports/front-door.ts";
import { until } from "../support/until.ts";

const isRoot = process.getuid?.() === 0;
const never = new AbortController().signal;
const clock = createClock();
const log = createLog({ level: "error", isTerminal: false, write: () => undefined });
const ADDRESS = "198.18.77.100";
const LONG_MS = 60_000;

describe.runIf(isRoot)("a virtual address between two hosts", () => {
  const tag = `us${process.pid % 100_000}`;
  const hosts = [`${tag}a`, `${tag}b`] as const;
  const ip = (...args: readonly string[]) => execFileSync("ip", args, { encoding: "utf8" });

  beforeEach(() => {
    for (const host of hosts) ip("netns", "add", host);
    ip("link", "add", "door", "netns", hosts[0], "type", "veth", "peer", "door", "netns", hosts[1]);
    for (const [at, host] of hosts.entries()) {
      ip("-n", host, "addr", "add", `198.18.77.${at + 1}/24`, "dev", "door");
      ip("-n", host, "link", "set", "door", "up");
    }
  });
  afterEach(() => {
    for (const host of hosts) ip("netns", "del", host);
  });

  const doorOf = (host: string): FrontDoor =>
    createVirtualAddress({
      settings: { kind: "address", address: ADDRESS, prefixLength: 24, interface: "door" },
      clock,
      log,
      through: ["ip", "netns", "exec", host],
    });
  const neighbourOf = (host: string) => ip("-n", host, "neigh", "show", ADDRESS);
  const macOf = (host: string) => /ether (\S+)/.exec(ip("-n", host, "link", "show", "door"))?.[1];

  it("is acquired, prolonged and released, each of them twice without harm", async () => {
    const door = doorOf(hosts[0]);
    for (const _ of [1, 2]) {
      await door.prepare(1, never);
      await door.acquire(1, LONG_MS, never);
      expect(await door.verify(1, never)).toBe(true);
    }
    for (const _ of [1, 2]) await door.release(never);
    expect(await door.verify(1, never)).toBe(false);
  });

  it("goes by itself at the end of the lease when nobody says a word any more", async () => {
    const door = doorOf(hosts[0]);
    await door.acquire(1, 2_000, never);
    expect(await door.verify(1, never)).toBe(true);
    await until("the kernel has removed it", async () => !(await door.verify(1, never)));
  });

  it("is not taken while another host answers for it, and then seen at its new place", async () => {
    const [first, second] = [doorOf(hosts[0]), doorOf(hosts[1])];
    await first.acquire(1, LONG_MS, never);
    using limit = clock.deadline(500);
    await expect(second.prepare(2, limit.signal)).rejects.toThrow();
    await first.release(never);
    await second.prepare(2, never);
    await second.acquire(2, LONG_MS, never);
    // The first host believes what it was told last, and it was told where the address is now.
    await second.release(never);
    const wrong = ["lladdr", "02:00:00:00:00:01", "dev", "door", "nud", "stale"];
    ip("-n", hosts[0], "neigh", "replace", ADDRESS, ...wrong);
    await second.acquire(3, LONG_MS, never);
    const mac = macOf(hosts[1]) ?? "none";
    await until("the announcement has arrived", () => neighbourOf(hosts[0]).includes(mac));
  });

  it("says what is wrong with an interface that is not there", async () => {
    const settings = {
      kind: "address",
      address: ADDRESS,
      prefixLength: 24,
      interface: "nowhere",
    } as const;
    const door = createVirtualAddress({ settings, clock, log });
    await expect(door.prepare(1, never)).rejects.toMatchObject({ why: /nowhere/ });
  });
});

describe("a command of the user's", () => {
  const door = (command: string) =>
    createDoorCommand({ command, scope: "demo", name: "n1", user: undefined });

  it("is told the step, who, and the term", async () => {
    const check = door(`sh -c 'test "$*" = "acquire demo n1 7"' x`);
    await check.acquire(7, LONG_MS, never);
    await expect(check.prepare(7, never)).rejects.toMatchObject({ code: "HOOK_REFUSED" });
  });

  it("answers by its exit code whether clients are led here", async () => {
    expect(await door("true").verify(1, never)).toBe(true);
    expect(await door("false").verify(1, never)).toBe(false);
  });
});
