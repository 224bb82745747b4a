// Who announces the virtual address, and for how long? The commands are only written down here.
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { virtualClock } from "../../../test/support/clock.ts";
import { until } from "../../../test/support/until.ts";
import { createLog } from "../system/log.ts";
import { createVirtualAddress } from "./virtual-address.ts";

const log = createLog({ level: "error", isTerminal: false, write: () => undefined });
const never = new AbortController().signal;
const ADDRESS = "198.18.77.100";

/** Plays `ip` with a file for the address, and writes down what `arping` is asked. */
const KERNEL = `#!/bin/sh
here=$(dirname "$0")
case "$*" in
  "ip addr replace"*) touch "$here/address" ;;
  "ip addr del"*) rm "$here/address" ;;
  "ip -j addr show"*)
    if [ -e "$here/address" ]; then echo '[{"addr_info":[{"local":"${ADDRESS}"}]}]'; else echo '[]'; fi
    echo asked >> "$here/asked" ;;
  arping*) echo "$*" >> "$here/announced" ;;
esac
`;

const dir = mkdtempSync(join(tmpdir(), "us-door-"));
beforeAll(() => {
  writeFileSync(join(dir, "kernel"), KERNEL);
  chmodSync(join(dir, "kernel"), 0o755);
});
afterEach(() => {
  for (const name of ["address", "announced", "asked"]) rmSync(join(dir, name), { force: true });
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const linesOf = (name: string): number => {
  const file = join(dir, name);
  return existsSync(file) ? readFileSync(file, "utf8").trim().split("\n").length : 0;
};

function stage() {
  const clock = virtualClock();
  const settings = {
    kind: "address",
    address: ADDRESS,
    prefixLength: 24,
    interface: "door",
  } as const;
  const through = [join(dir, "kernel")];
  return { clock, door: createVirtualAddress({ settings, clock, log, through }) };
}

it("is announced again and again, and not any more once it is released", async () => {
  const { clock, door } = stage();
  await door.acquire(1, 60_000, never);
  await clock.pass(300);
  await until("two announcements", () => linesOf("announced") === 2);
  await door.release(never);
  const asked = linesOf("asked");
  await clock.pass(10_000);
  // Nothing was left to wake up: nobody even asked whether the address is here.
  expect(linesOf("asked")).toBe(asked);
  expect(linesOf("announced")).toBe(2);
});

it("is not announced when the kernel has removed it at the end of the lease", async () => {
  const { clock, door } = stage();
  await door.acquire(1, 2_000, never);
  await clock.pass(0);
  await until("an announcement", () => linesOf("announced") === 1);
  rmSync(join(dir, "address"));
  const asked = linesOf("asked");
  for (const [looks, ms] of [200, 800, 4_000].entries()) {
    await clock.pass(ms);
    await until("a look", () => linesOf("asked") === asked + looks + 1);
  }
  expect(linesOf("announced")).toBe(1);
});
