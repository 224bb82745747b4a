import { describe, expect, it } from "vitest";
import {
  cluster,
  member,
  NOW,
  primaryView,
  server,
  sql,
  standbyView,
  tagged,
} from "../../../test/support/node-view.ts";
import { DEFAULT_CONFIG } from "../../model/config.ts";
import { lsn } from "../../model/lsn.ts";
import { after } from "../../model/time.ts";
import { healthStatus, livenessStatus, readinessStatus } from "./health.ts";
import type { View } from "./node-view.ts";

function status(view: View, url: string): number {
  const [path = "/", query = ""] = url.split("?");
  return healthStatus(path, { view, now: NOW, query: new URLSearchParams(query) });
}

const LEASE = { term: 10, validUntil: after(NOW, 5_000) };
const PRIMARY_PATHS = ["/", "/primary", "/master", "/leader", "/read-write"]; // tidy-allow: old paths
const STANDBY_PATHS = ["/replica", "/async", "/asynchronous"]; // tidy-allow: old paths

describe("the primary", () => {
  it.each([...PRIMARY_PATHS, "/read-only", "/health", "/read-only-sync"])("is %s", (path) => {
    expect(status(primaryView(), path)).toBe(200);
  });

  it.each([...STANDBY_PATHS, "/standby-leader", "/standby_leader", "/sync", "/quorum", "/x"])(
    "is not %s",
    (path) => expect(status(primaryView(), path)).toBe(503),
  );

  const crashed = server(sql(), { process: { kind: "down" } });
  const frozen = server(sql(), {
    process: { kind: "running", pid: 42, accepting: "hung", guarded: true, startedAt: NOW },
  });
  const fence = { ...primaryView().fence, serverPid: undefined };
  it.each<[string, Partial<View>]>([
    ["without a lease", { lease: undefined }],
    ["with a lease that ran out just now", { lease: { term: 1, validUntil: NOW } }],
    ["whose server is down", { server: { seen: crashed, at: NOW } }],
    ["whose server hangs", { server: { seen: frozen, at: NOW } }],
    ["whose server died a moment ago", { fence }],
    ["that is still in recovery", { server: { seen: server(sql({ inRecovery: true })), at: NOW } }],
    ["before its first look", { server: undefined }],
  ])("%s takes no traffic", (_, change) => {
    for (const path of PRIMARY_PATHS) expect(status(primaryView(change), path)).toBe(503);
  });

  it("stays primary without a lease while a pause lets it run without its fence", () => {
    const free = { ...primaryView().fence, armed: undefined, unguarded: 10 };
    const view = primaryView({ lease: undefined, fence: free });
    expect(status(view, "/primary")).toBe(200);
    expect(status(primaryView({ lease: undefined }), "/primary")).toBe(503);
    const demoted = { ...view, member: { ...view.member, role: "demoted" as const } };
    expect(status(demoted, "/primary")).toBe(503);
  });

  it("is not asked for tags", () => {
    expect(status(primaryView(), "/primary?tag_zone=a")).toBe(200);
  });
});

describe("a standby", () => {
  it.each([...STANDBY_PATHS, "/read-only", "/health"])("is %s", (path) => {
    expect(status(standbyView(), path)).toBe(200);
  });

  it.each([...PRIMARY_PATHS, "/sync", "/read-only-quorum", "/nonsense"])("is not %s", (path) => {
    expect(status(standbyView(), path)).toBe(503);
  });

  const behind = standbyView({
    server: {
      seen: server(sql({ inRecovery: true, receivedLsn: lsn(900), replayedLsn: lsn(500) })),
      at: NOW,
    },
  });
  const standbyPath = "/replica"; // tidy-allow: the path that balancers ask
  it.each<[string, View, string, number]>([
    ["within the lag", behind, "lag=500", 200],
    ["beyond the lag", behind, "lag=499", 503],
    ["within a lag with a unit", behind, "lag=1kB", 200],
    ["asked with nonsense", behind, "lag=much", 200],
    ["that streams", behind, "replication_state=streaming", 200],
    ["that reads no archive", behind, "replication_state=in+archive+recovery", 503],
    ["that is not for readers", tagged(standbyView(), { noloadbalance: true }), "", 503],
    ["with the tag", tagged(standbyView(), { custom: { zone: "a" } }), "tag_zone=a", 200],
    ["with another tag", tagged(standbyView(), { custom: { zone: "b" } }), "tag_zone=a", 503],
    ["without the tag", standbyView(), "tag_zone=a", 503],
    ["with a flag", tagged(standbyView(), { custom: { ssd: true } }), "tag_ssd=TRUE", 200],
    ["that starts", standbyView({ member: member("n2", { state: "starting" }) }), "", 503],
  ])("%s", (_, view, query, expected) => {
    expect(status(view, `${standbyPath}?${query}`)).toBe(expected);
  });

  it("is ready while it keeps up", () => {
    const ready = (view: View, query = "") =>
      readinessStatus({ view, now: NOW, query: new URLSearchParams(query) });
    expect(ready(standbyView())).toBe(200);
    expect(ready(behind, "lag=100")).toBe(503);
    expect(ready(behind, "lag=100&mode=write")).toBe(200);
    expect(ready(standbyView({ member: member("n2", { replicationState: undefined }) }))).toBe(503);
    expect(ready(primaryView())).toBe(200);
    expect(ready(standbyView({ cluster: { seen: cluster(), at: NOW } }))).toBe(200);
  });
});

describe("the leader of a cluster that follows another site", () => {
  const leader = (change: Partial<View> = {}): View =>
    standbyView({ member: member("n2", { role: "standby leader" }), lease: LEASE, ...change });
  const yes = ["/standby-leader", "/standby_leader", "/leader", "/read-only", "/read-only-sync"];
  const no = ["/", "/primary", "/read-write", ...STANDBY_PATHS, "/sync"];

  it.each(yes)("is %s", (path) => {
    expect(status(leader(), path)).toBe(200);
  });

  it.each(no)("is not %s", (path) => {
    expect(status(leader(), path)).toBe(503);
  });

  it("is nothing of it once its lease has run out", () => {
    for (const path of yes) expect(status(leader({ lease: undefined }), path)).toBe(503);
  });
});

describe("liveness", () => {
  const overdue = (ms: number, view: View) =>
    livenessStatus({ ...view, loop: { ...view.loop, nextTickAt: after(NOW, -ms) } }, NOW);

  it("gives a primary one ttl and a standby two", () => {
    expect(overdue(9_999, primaryView())).toBe(200);
    expect(overdue(10_001, primaryView())).toBe(503);
    expect(overdue(19_999, standbyView())).toBe(200);
    expect(overdue(20_001, standbyView())).toBe(503);
  });

  it("never doubts a paused node", () => {
    const paused = primaryView({ config: { ...DEFAULT_CONFIG, paused: true } });
    expect(overdue(99_999, paused)).toBe(200);
  });
});
