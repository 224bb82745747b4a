import { expect, it } from "vitest";
import { DATABASE, POOLER } from "../../test/support/pooler-settings.ts";
import { poolsThatDoNotFit } from "./pool-fit.ts";
import type { PgbouncerSettings } from "./router-settings.ts";

const SETTINGS: PgbouncerSettings = {
  ...POOLER,
  processes: 2,
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
