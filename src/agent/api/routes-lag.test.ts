import { expect, it } from "vitest";
import { lagCase } from "../../../test/support/lag-samples.ts";
import { contextOf, fakeNode, NOW, primaryView, WALL_MS } from "../../../test/support/node-view.ts";
import { renderMetrics } from "./metrics.ts";
import { LAG_ROUTES } from "./routes-lag.ts";

const [route] = LAG_ROUTES;
const report = {
  version: 150_018,
  isStandby: false,
  end: "0/1000000",
  stillMs: 0,
  ageMs: 100,
  samples: 3,
  steadyMs: 20_000,
  standbys: [lagCase().sent!],
};
const ask = async (node: ReturnType<typeof fakeNode>, query = "") =>
  route!.answer(contextOf(node), { query: new URLSearchParams(query), body: undefined });

it("answers with what was measured, and has it measured more closely from then on", async () => {
  const node = fakeNode({ ...primaryView(), lag: report });
  const answer = await ask(node);
  expect(answer.status).toBe(200);
  expect(answer.json).toMatchObject({ kind: "Lag", member: "n1", end: "0/1000000" });
  expect(answer.json).not.toHaveProperty("history");
  expect(node.lagWatched).toBe(1);
});

it("adds the history that is asked for", async () => {
  const node = fakeNode({ ...primaryView(), lag: report });
  node.lagMoments = [
    { at: WALL_MS, name: "n2", gaps: [0, 0, 0, 5], behindBytes: 5, behindMs: 1_000 },
  ];
  const { json } = await ask(node, "history_ms=3600000");
  expect(json).toMatchObject({ history: [{ at: "2026-11-23T00:00:00.000+00:00", name: "n2" }] });
});

it.each(["history_ms=soon", "history_ms=-1", "history_ms=999999999999"])(
  "refuses %s, and reads nothing",
  async (query) => {
    const node = fakeNode({ ...primaryView(), lag: report });
    expect(await ask(node, query)).toMatchObject({ status: 400 });
    expect(node.lagWatched).toBe(0);
  },
);

it("is found in the metrics, by standby and stage", async () => {
  const sent = lagCase({ at: "replay", bytes: 4_096, ms: 2_500 }).sent!;
  const view = { ...primaryView(), lag: { ...report, standbys: [sent] } };
  const context = contextOf(fakeNode(view));
  const text = await renderMetrics(view, context, { now: NOW, wallMs: WALL_MS });
  expect(text).toMatch(/understudy_lag_bytes\{standby="n2",stage="replay",[^}]*\} 4096/);
  expect(text).toMatch(/understudy_lag_seconds\{standby="n2",stage="replay",[^}]*\} 2.5/);
  expect(text).toMatch(/understudy_lag_bytes\{standby="n2",stage="flush",[^}]*\} 0/);
  expect(text).toMatch(
    /understudy_lag_cause\{standby="n2",cause="caught_up",weight="fine",by="upstream",[^}]*\} 1/,
  );
});

it("names in the metrics what holds replay back, as the standby itself sees it", async () => {
  const { own } = lagCase({ at: "replay", bytes: 4_096, ms: 2_500 }, { own: { isPaused: true } });
  const view = { ...primaryView(), lag: { ...report, standbys: [], own: own! } };
  const text = await renderMetrics(view, contextOf(fakeNode(view)), { now: NOW, wallMs: WALL_MS });
  expect(text).toMatch(
    /understudy_lag_cause\{standby="n1",cause="paused",weight="trouble",by="standby",[^}]*\} 1/,
  );
});

it("names in the metrics what open incidents were and why", async () => {
  const open = [{ kind: "failover", cause: "disk_full" } as const];
  const incidents = { ongoing: 0, unacknowledged: 1, open, latest: undefined };
  const view = { ...primaryView(), incidents };
  const text = await renderMetrics(view, contextOf(fakeNode(view)), { now: NOW, wallMs: WALL_MS });
  expect(text).toMatch(/understudy_incident_cause\{kind="failover",cause="disk_full",[^}]*\} 1/);
});

it("says so while the server does not answer", async () => {
  expect(await ask(fakeNode())).toMatchObject({ status: 503 });
});
