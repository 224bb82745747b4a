import { describe, expect, it } from "vitest";
import {
  cluster,
  contextOf,
  type FakeNode,
  fakeNode,
  member,
  primary,
  primaryView,
  WALL_MS,
} from "../../../test/support/node-view.ts";
import { DEFAULT_CONFIG } from "../../model/config.ts";
import { DEFAULT_TAGS } from "../../model/settings.ts";
import { createApp } from "./app.ts";

async function ask(node: FakeNode, path: string, body: unknown, method = "POST") {
  const response = await createApp(contextOf(node)).request(
    path,
    {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      headers: { "content-length": "1" },
    },
    { incoming: { socket: {} as never } },
  );
  return [response.status, await response.text()] as const;
}

const switchover = (node: FakeNode, body: unknown) => ask(node, "/switchover", body);
const failover = (node: FakeNode, body: unknown) => ask(node, "/failover", body);

const intent = { leader: "n1", candidate: "n2", scheduledAt: undefined, scheduledAtMs: undefined };
const asked = cluster({ failover: { value: intent, modRevision: 5 } });
const moved = cluster({
  leader: { name: "n2", term: 20, leaseId: "2" },
  members: [member("n1"), primary("n2"), member("n3")],
});

describe("a switchover", () => {
  it("succeeds when the new leader is a primary", async () => {
    const node = fakeNode();
    const promoting = { ...moved, members: [member("n1"), member("n2"), member("n3")] };
    node.snapshots = [cluster(), asked, undefined, promoting, moved];
    const answer = await switchover(node, { leader: "n1", candidate: "n2" });
    expect(answer).toEqual([200, 'Successfully switched over to "n2"']);
    expect(node.intents).toEqual([intent]);
  });

  it("tells when another one took over", async () => {
    const node = fakeNode();
    node.snapshots = [cluster(), moved];
    const answer = await switchover(node, { leader: "n1", candidate: "n3" });
    expect(answer).toEqual([200, 'Switched over to "n2" instead of "n3"']);
  });

  it("failed when the wish is gone and the leader is not", async () => {
    const node = fakeNode();
    node.snapshots = [cluster(), asked, cluster()];
    const [status, text] = await switchover(node, { leader: "n1" });
    expect([status, text.split("\n")[0]]).toEqual([503, "Switchover failed"]);
  });

  it("that the member asked has itself refused says why, and takes no earlier refusal for it", async () => {
    for (const [agoMs, words] of [
      [0, "switchover_refused: n2 its position is not settled"],
      [1, "leading"],
    ] as const) {
      const fake = fakeNode();
      const because = "switchover_refused";
      const detail = "n2 its position is not settled";
      const entry = {
        wallMs: WALL_MS - agoMs,
        because,
        detail,
        step: undefined,
        term: 10,
      } as const;
      const node = Object.assign(fake, { journal: () => [entry] });
      node.snapshots = [cluster(), asked, cluster()];
      const [status, text] = await switchover(node, { leader: "n1" });
      expect([status, text]).toEqual([503, `Switchover failed\n${words}`]);
    }
  });

  it("is not waited for without end", async () => {
    const node = fakeNode();
    node.snapshots = [cluster(), asked];
    const [status, text] = await switchover(node, { leader: "n1" });
    expect(status).toBe(503);
    expect(text).toBe(
      "switchover status unknown after 20 seconds; operation may still be in progress",
    );
  });

  it("is written again when somebody came in between, once", async () => {
    const node = fakeNode();
    node.refuse.failover = 1;
    node.snapshots = [cluster(), asked, moved];
    expect((await switchover(node, { leader: "n1" }))[0]).toBe(200);
    node.refuse.failover = 2;
    node.snapshots = [cluster()];
    expect(await switchover(node, { leader: "n1" })).toEqual([
      503,
      "failed to write failover key into DCS",
    ]);
  });

  const future = "2026-11-24T00:00:00+00:00";
  it.each([
    [{ candidate: "n2" }, 400, "Switchover could be performed only from a specific leader"],
    [{ leader: "n1", candidate: "n1" }, 400, "Switchover target and source are the same"],
    [{ leader: "n1", scheduled_at: "2026-11-24T00:00:00" }, 400, "Timezone information is"],
    [{ leader: "n1", scheduled_at: "tomorrow" }, 422, "is not a time"],
    [{ leader: "n1", scheduled_at: "2026-11-22T00:00:00Z" }, 422, "in the past"],
    [{ leader: "n1", scheduled_at: future }, 202, "Switchover scheduled"],
    [{ leader: "n2" }, 412, "leader name does not match"],
    [{ leader: "n1", candidate: "n9" }, 412, "candidate does not exists"],
  ])("%j answers %i", async (body, status, text) => {
    const answer = await switchover(fakeNode(), body);
    expect(answer[0]).toBe(status);
    expect(answer[1]).toContain(text);
  });

  it.each([
    [{ leader: "n1", scheduled_at: future }, "Can't schedule switchover in the paused state"],
    [{ leader: "n1" }, "Switchover is possible only to a specific candidate in a paused state"],
  ])("in pause %j is refused", async (body, text) => {
    const node = fakeNode();
    const paused = { ...DEFAULT_CONFIG, paused: true };
    node.snapshots = [cluster({ config: { value: paused, modRevision: 7 } })];
    expect(await switchover(node, body)).toEqual([400, text]);
  });

  it("names what is wrong with each candidate", async () => {
    const tags = { ...DEFAULT_TAGS, nofailover: true };
    const seen = cluster({ members: [primary("n1"), member("n2", { tags }), member("n3")] });
    const node = fakeNode(primaryView({ cluster: { seen, at: 1 as never } }));
    node.silent.add("n3");
    const [status, text] = await switchover(node, { leader: "n1" });
    expect(status).toBe(412);
    expect(text.split("\n")).toEqual([
      "switchover is not possible: no good candidates have been found",
      "n2: it is tagged nofailover",
      "n3: its agent does not answer (limit 2000 ms)",
    ]);
  });

  it("goes to a synchronous standby where commits rely on one", async () => {
    const node = fakeNode();
    const sync = { value: { leader: "n1", standbys: ["n3"], quorum: 0 }, modRevision: 6 };
    const withMode = (synchronousMode: "on" | "quorum") =>
      cluster({ sync, config: { value: { ...DEFAULT_CONFIG, synchronousMode }, modRevision: 7 } });
    const body = { leader: "n1", candidate: "n2" };
    node.snapshots = [withMode("on")];
    const refusal = [412, "candidate name does not match with sync_standby"];
    expect(await switchover(node, body)).toEqual(refusal);
    expect(node.intents).toEqual([]);
    node.snapshots = [withMode("quorum"), moved];
    expect((await switchover(node, body))[0]).toBe(200);
    node.snapshots = [withMode("on"), moved];
    expect((await failover(node, { candidate: "n2" }))[0]).toBe(200);
  });

  it("needs somebody to switch to", async () => {
    const node = fakeNode();
    node.snapshots = [cluster({ members: [primary("n1")] })];
    expect((await switchover(node, { leader: "n1" }))[1]).toContain("members except leader");
  });

  it("can be taken back while it is scheduled", async () => {
    const node = fakeNode();
    const gone = await ask(node, "/switchover", undefined, "DELETE");
    expect(gone).toEqual([404, "no switchover is scheduled"]);
    const value = { ...intent, scheduledAt: future, scheduledAtMs: 1 };
    node.snapshots = [cluster({ failover: { value, modRevision: 5 } })];
    expect((await ask(node, "/switchover", undefined, "DELETE"))[0]).toBe(200);
    expect(node.intents).toEqual([undefined]);
    node.refuse.failover = 1;
    expect((await ask(node, "/switchover", undefined, "DELETE"))[0]).toBe(409);
  });
});

describe("a failover", () => {
  it("needs a candidate and no schedule", async () => {
    const node = fakeNode();
    expect((await failover(node, { x: 1 }))[1]).toContain("only to a specific candidate");
    const scheduled = { candidate: "n2", scheduled_at: "2026-11-24T00:00:00Z" };
    expect((await failover(node, scheduled))[1]).toBe("Failover can't be scheduled");
  });

  it("works while nobody leads", async () => {
    const node = fakeNode();
    node.snapshots = [cluster({ leader: undefined }), moved];
    const answer = await failover(node, { candidate: "n2" });
    expect(answer).toEqual([200, 'Successfully failed over to "n2"']);
    expect(node.intents[0]?.leader).toBeUndefined();
  });

  it("to the leader itself is refused", async () => {
    expect(await failover(fakeNode(), { candidate: "n1" })).toEqual([
      412,
      "the candidate leads already",
    ]);
  });
});
