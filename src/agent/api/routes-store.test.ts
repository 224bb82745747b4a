import { expect, it } from "vitest";
import { contextOf, fakeNode } from "../../../test/support/node-view.ts";
import { lsn } from "../../model/lsn.ts";
import { STORE_ROUTES } from "./routes-store.ts";

const { scope } = contextOf(fakeNode()).settings;

async function ask(node: ReturnType<typeof fakeNode>, body: Record<string, unknown>) {
  const [route] = STORE_ROUTES;
  return route?.answer(contextOf(node), { query: new URLSearchParams(), body });
}

it("is asked for by the cluster's name, or nothing happens", async () => {
  const node = fakeNode();
  for (const body of [{}, { scope: "another" }, { scope, without: "n3" }, { scope, dry_run: 1 }])
    expect((await ask(node, body))?.status).toBe(400);
  expect(node.wishes).toEqual([]);
});

it("says why not, and what next", async () => {
  const node = fakeNode();
  expect(await ask(node, { scope, without: ["n3"] })).toMatchObject({
    status: 409,
    text: "n2 led last\nask that member instead",
  });
  expect(node.wishes).toEqual([{ without: ["n3"], isDryRun: false }]);
});

it("says what it has written, or would", async () => {
  const node = fakeNode();
  const succession = { id: "a", systemId: "7", termBase: 9, by: "n1" };
  const branches = [{ timeline: 2, parent: 1, forkLsn: lsn(16), term: 9 }];
  const facts = {
    succession,
    branches,
    configJson: "{}",
    roster: { n1: "http://n1" },
    unguarded: undefined,
  };
  node.judged = { kind: "possible", facts };
  expect(await ask(node, { scope, dry_run: true })).toMatchObject({
    status: 200,
    json: { written: false, termsAbove: 9, branches: [{ forkLsn: "0/10" }], mayLead: ["n1"] },
  });
  node.judged = { kind: "written", facts };
  expect(await ask(node, { scope })).toMatchObject({ json: { written: true } });
});

it("says that the store does not answer", async () => {
  const node = fakeNode();
  node.repopulate = () => Promise.reject(new Error("refused"));
  expect((await ask(node, { scope }))?.status).toBe(503);
});
