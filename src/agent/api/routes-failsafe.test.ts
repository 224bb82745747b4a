// Does a primary that cannot reach the store get a promise, and only from the right member?
import { describe, expect, it } from "vitest";
import { cluster, standbyView } from "../../../test/support/node-view.ts";
import { serveApi } from "../../../test/support/served-api.ts";
import { createPeers } from "../../adapters/peers/peers.ts";
import { instant } from "../../model/time.ts";

const LIMIT_MS = 2_000;
const ASKED = { grantee: "n1", term: 10, durationMs: 8_000, to: "n1" };
const clock = { now: () => instant(1) };

/** A member that listens; its name is n1, as in every built file of settings. */
const serve = (more = "") => serveApi(standbyView(), more);

describe("asking for a promise", () => {
  it("carries name, term and duration, and is believed only when it is accepted", async () => {
    const { node, url, of } = await serve();
    const peers = createPeers({ scope: of.scope, clock });
    expect(await peers.promise(url, ASKED, LIMIT_MS)).toEqual({ kind: "promised" });
    expect(node.asked).toEqual([{ grantee: "n1", term: 10, durationMs: 8_000 }]);
    node.word = { kind: "refused", why: "Running as a leader" };
    expect(await peers.promise(url, ASKED, LIMIT_MS)).toEqual({
      kind: "refused",
      why: "500 Running as a leader",
    });
  });

  it("is refused by another member, or one of another cluster, at the same address", async () => {
    const { node, url, of } = await serve();
    const peers = createPeers({ scope: of.scope, clock });
    expect(await peers.promise(url, { ...ASKED, to: "n9" }, LIMIT_MS)).toMatchObject({
      kind: "refused",
    });
    const strangers = createPeers({ scope: "elsewhere", clock });
    expect(await strangers.promise(url, ASKED, LIMIT_MS)).toMatchObject({ kind: "refused" });
    expect(node.asked).toEqual([]);
  });

  it("needs the cluster's name and password where changes do", async () => {
    const { url, of } = await serve("restapi: {authentication: {username: u, password: p}}");
    const { scope } = of;
    expect(await createPeers({ scope, clock }).promise(url, ASKED, LIMIT_MS)).toMatchObject({
      kind: "refused",
      why: expect.stringContaining("401"),
    });
    const credentials = of.rest.authentication;
    const knowing = createPeers({ scope, clock, credentials });
    expect(await knowing.promise(url, ASKED, LIMIT_MS)).toEqual({ kind: "promised" });
  });

  it("is unknown where nobody answers", async () => {
    const peers = createPeers({ scope: "demo", clock });
    expect(await peers.promise("http://127.0.0.1:1", ASKED, LIMIT_MS)).toMatchObject({
      kind: "unknown",
    });
  });
});

describe("the field's own form", () => {
  const ask = async (url: string, body: unknown) => {
    const answer = await fetch(`${url}/failsafe`, {
      method: "POST",
      body: JSON.stringify(body),
    });
    return [answer.status, await answer.text()];
  };

  it("gets a ttl's promise for the leader that is known here, and for nobody else", async () => {
    const { node, url } = await serve();
    const leader = cluster().leader;
    if (leader === undefined) throw new Error("no leader");
    expect(await ask(url, { name: leader.name })).toEqual([200, "Accepted"]);
    expect(node.asked).toEqual([
      { grantee: leader.name, term: leader.term, durationMs: node.seen.config.ttlMs },
    ]);
    expect((await ask(url, { name: "n9" }))[0]).toBe(500);
    expect((await ask(url, { nobody: true }))[0]).toBe(400);
    node.seen = { ...node.seen, config: { ...node.seen.config, failsafeMode: false } };
    expect(await ask(url, { name: leader.name })).toEqual([502, "failsafe_mode is off"]);
  });

  it("shows the list of members, once there is one", async () => {
    const { node, url } = await serve();
    expect((await fetch(`${url}/failsafe`)).status).toBe(502);
    const { cluster: seen } = node.seen;
    if (seen === undefined) throw new Error("no cluster");
    const roster = { value: { n1: "http://n1:8008" }, modRevision: 5 };
    node.seen = { ...node.seen, cluster: { ...seen, seen: { ...seen.seen, roster } } };
    const answer = await fetch(`${url}/failsafe`);
    expect(await answer.json()).toEqual({ n1: "http://n1:8008/patroni" });
  });
});
