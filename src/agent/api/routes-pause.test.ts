// Is a primary taken for down only when its name was typed and nothing of it answers?
import { expect, it } from "vitest";
import { cluster, contextOf, fakeNode } from "../../../test/support/node-view.ts";
import { PAUSE_ROUTES } from "./routes-pause.ts";

const [route] = PAUSE_ROUTES;
const RECORD = {
  member: "n1",
  term: 10,
  sinceMs: undefined,
  host: "n1.example",
  port: 5432,
  apiUrl: "http://n1.example:8008",
};

function stage(value: typeof RECORD | undefined = RECORD) {
  const node = fakeNode();
  node.snapshots = [cluster({ unguarded: { value, modRevision: 70 } })];
  node.silent.add("n1");
  const say = async (body: Record<string, unknown>) =>
    route?.answer(contextOf(node), { query: new URLSearchParams(), body });
  return { node, say };
}

it("takes the record away when neither agent nor server answers", async () => {
  const { node, say } = stage();
  expect(await say({ member: "n1" })).toMatchObject({ status: 200 });
  expect(node.cleared).toEqual([70]);
});

it("refuses without a name, another name, and when nobody is meant", async () => {
  const { node, say } = stage();
  expect(await say({})).toMatchObject({ status: 400 });
  expect(await say({ member: "n2" })).toMatchObject({ status: 404 });
  const none = stage(undefined);
  none.node.snapshots = [cluster()];
  expect(await none.say({ member: "n1" })).toMatchObject({ status: 404 });
  expect([...node.cleared, ...none.node.cleared]).toEqual([]);
});

it("refuses while the agent or the server of that member answers", async () => {
  const { node, say } = stage();
  node.isServerThere = true;
  expect(await say({ member: "n1" })).toMatchObject({ status: 409 });
  node.isServerThere = false;
  node.silent.clear();
  expect(await say({ member: "n1" })).toMatchObject({ status: 409 });
  expect(node.cleared).toEqual([]);
});
