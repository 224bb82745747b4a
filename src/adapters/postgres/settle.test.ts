import { expect, test } from "vitest";
import type { Place } from "./place.ts";
import { replicationConnection, tellsErrors } from "./settle.ts";

test("a whole file system's sync is trusted from Linux 5.8 on", () => {
  const kernels = [
    "4.19.0-27-amd64",
    "5.7.9",
    "5.8.0",
    "5.15.0-91-generic",
    "6.1.0-18-amd64",
    "odd",
  ];
  expect(kernels.map(tellsErrors)).toEqual([false, false, true, true, true, false]);
});

test("a member is known by its name at home, and by its cluster's as well at another site", () => {
  const postgres = { replication: { username: "replicator" } };
  const place = { settings: { scope: "b", name: "n1", postgres }, passFile: "/pass" };
  const name = (isOtherSite: boolean): string | undefined => {
    const upstream = { host: "far", port: 5432, member: "far", slot: undefined, isOtherSite };
    return replicationConnection(place as unknown as Place, upstream)["application_name"];
  };
  expect([name(false), name(true)]).toEqual(["n1", "b.n1"]);
});
