import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { lookAtProcess } from "./process-look.ts";
import { parseSocket, socketQueues } from "./socket-queues.ts";

const root = mkdtempSync(join(tmpdir(), "understudy-proc-"));
beforeEach(() => {
  mkdirSync(join(root, "7"), { recursive: true });
  mkdirSync(join(root, "net"), { recursive: true });
});
afterEach(() => rmSync(root, { recursive: true }));

const STAT = "7 (postgres: n1 (x) startup) D 1 7 7 0 -1 4194560 900 0 3 0 120 30 0 0 20 0 1 0 5000";

it("tells time on a processor and time without one, whatever the process is called", () => {
  writeFileSync(join(root, "7", "stat"), STAT);
  writeFileSync(join(root, "7", "schedstat"), "1234000000 56000000 99\n");
  expect(lookAtProcess(7, root)).toEqual({ state: "D", cpuMs: 1_234, starvedMs: 56 });
});

it("goes by the coarser account where the kernel keeps no finer one", () => {
  writeFileSync(join(root, "7", "stat"), STAT);
  expect(lookAtProcess(7, root)).toEqual({ state: "D", cpuMs: 1_500, starvedMs: undefined });
});

it("says nothing of a process that has ended, and something of ourselves", () => {
  expect(lookAtProcess(8, root)).toBeUndefined();
  expect(lookAtProcess(process.pid)?.cpuMs).toBeGreaterThan(0);
});

const SOCKET =
  "   1: 0100007F:1538 0200007F:9C40 01 0002B800:00001000 01:00000019 00000000   108        0 4242 2";

it("reads what stands in both queues of a connection", () => {
  expect(parseSocket(SOCKET)).toEqual([
    { localPort: 5_432, remotePort: 40_000, sendBytes: 178_176, receiveBytes: 4_096 },
  ]);
  expect(parseSocket("  sl  local_address rem_address   st tx_queue rx_queue")).toEqual([]);
  // One that listens has no other end.
  expect(parseSocket(SOCKET.replace(" 01 0002", " 0A 0002"))).toEqual([]);
});

it("tells only connections of the ports asked for, of both protocols", async () => {
  writeFileSync(join(root, "net", "tcp"), `${SOCKET}\n${SOCKET.replaceAll("1538", "0016")}\n`);
  const six = SOCKET.replace("0100007F", "0".repeat(32)).replace("0200007F", "0".repeat(32));
  writeFileSync(join(root, "net", "tcp6"), `${six}\n`);
  expect(await socketQueues(new Set([5_432]), root)).toHaveLength(2);
  expect(await socketQueues(new Set([1]), root)).toHaveLength(0);
});
