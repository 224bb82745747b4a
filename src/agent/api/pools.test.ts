import { describe, expect, it } from "vitest";
import type { PoolerProcess, PoolNumbers } from "../../ports/pooler.ts";
import { poolsJson } from "./pools.ts";

const POOL: PoolNumbers = {
  database: "app",
  user: "shop",
  mode: "transaction",
  clientsActive: 20,
  clientsWaiting: 0,
  serversActive: 20,
  serversIdle: 0,
  size: 20,
  longestWaitMs: 0,
};

const PROCESS: PoolerProcess = {
  pid: 7,
  version: "1.18.0",
  paused: false,
  points: { app: { host: "10.0.0.1", port: 5432 } },
  pools: [POOL],
  traffic: [],
  maxClients: 2000,
  memoryBytes: undefined,
};

const report = (change: Partial<PoolerProcess> = {}, problems: readonly string[] = []) =>
  poolsJson({ processes: [{ ...PROCESS, ...change }], problems }, { router: "r1", asOf: "now" });

describe("a look at the pooler", () => {
  it("says for each pool where it leads and what is in use", () => {
    expect(report().items).toEqual([{ ...POOL, pid: 7, paused: false, leadsTo: "10.0.0.1:5432" }]);
    expect(report().processes).toEqual([
      {
        pid: 7,
        version: "1.18.0",
        paused: false,
        clients: 20,
        maxClients: 2000,
        memoryBytes: null,
      },
    ]);
    expect(report({ points: {} }).items[0]?.leadsTo).toBe("nowhere");
  });

  it("is silent about a busy pool, and names the one that keeps clients waiting", () => {
    expect(report().warnings).toEqual([]);
    const waiting = { ...POOL, clientsWaiting: 12, longestWaitMs: 3200 };
    expect(report({ pools: [waiting] }).warnings).toEqual([
      "app: 12 clients of shop wait, the first for 3.2 s: all 20 connections are in use",
    ]);
    // What waits for the end of a pause, or for a connection that is being opened, is no fault of the pool's size.
    expect(report({ pools: [waiting], paused: true }).warnings).toEqual([]);
    expect(report({ pools: [{ ...waiting, serversActive: 3 }] }).warnings).toEqual([]);
  });

  it("warns before clients are turned away, and passes on what the pooler knows", () => {
    expect(report({ maxClients: 22 }, ["it limps"]).warnings).toEqual([
      "it limps",
      expect.stringMatching(/^20 of at most 22 clients/),
    ]);
  });
});
