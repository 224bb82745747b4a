import { expect, it } from "vitest";
import { poolsThatDoNotFit } from "./pool-fit.ts";
import type { PgbouncerSettings, PooledDatabase } from "./router-settings.ts";

const DATABASE: PooledDatabase = {
  route: "write",
  dbname: "shop",
  poolMode: undefined,
  poolSize: undefined,
  reservePool: undefined,
  minPoolSize: undefined,
  maxDbConnections: undefined,
};

const SETTINGS: PgbouncerSettings = {
  listen: { host: "127.0.0.1", port: 6432 },
  processes: 2,
  bin: "pgbouncer",
  dir: "/run/pb",
  poolMode: "transaction",
  poolSize: 20,
  maxClientConn: 2000,
  auth: { type: "trust", file: undefined, queryUser: undefined, query: undefined },
  options: {},
  databases: { app: DATABASE, more: { ...DATABASE, poolSize: 30, reservePool: 5 } },
};

it("names pools that the server has no room for, with both numbers", () => {
  expect(poolsThatDoNotFit(SETTINGS, {})).toEqual([
    expect.stringMatching(
      /route write may take 110 connections for one user, max_connections is 100/,
    ),
  ]);
  expect(poolsThatDoNotFit(SETTINGS, { max_connections: "120" })).toEqual([]);
  expect(poolsThatDoNotFit({ ...SETTINGS, processes: 1 }, {})).toEqual([]);
});
