// A pooler's settings for tests that start none: as the parser would fill them in.
import type { PgbouncerSettings, PooledDatabase } from "../../src/model/router-settings.ts";

export const DATABASE: PooledDatabase = {
  route: "write",
  dbname: "shop",
  poolMode: undefined,
  poolSize: undefined,
  reservePool: undefined,
  minPoolSize: undefined,
  maxDbConnections: undefined,
};

export const POOLER: PgbouncerSettings = {
  listen: { host: "127.0.0.1", port: 6432 },
  processes: 1,
  bin: "pgbouncer",
  dir: "/run/pb",
  poolMode: "transaction",
  poolSize: 20,
  maxClientConn: 2000,
  auth: { type: "trust", file: undefined, queryUser: undefined, query: undefined },
  options: {},
  databases: { app: DATABASE },
};
