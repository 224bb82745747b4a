// Does a word about an incident stay, whatever the keeper is doing at that moment?
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { virtualClock } from "../../../test/support/clock.ts";
import { CLUSTER, crashHandOver, partsOf } from "../../../test/support/incident-stories.ts";
import { createLog } from "../../adapters/system/log.ts";
import { assembleIncidents } from "../../incident/assemble.ts";
import { Chronicle } from "../chronicle/chronicle.ts";
import { writeIncidents } from "./incident-files.ts";
import { IncidentKeeper } from "./keeper.ts";

it("is not lost while all nodes are being asked", async () => {
  const stateDir = mkdtempSync(join(tmpdir(), "us-keeper-"));
  const parts = partsOf(crashHandOver);
  const [told] = assembleIncidents(parts, { ...CLUSTER, missing: [] });
  if (told === undefined) throw new Error("there is none");
  await writeIncidents(join(stateDir, "incidents"), [], [told]);
  // Another member, which answers when it is let: it has more to tell, so the incident is written anew.
  let answer: () => void = () => undefined;
  const isLet = new Promise<void>((resolve) => {
    answer = resolve;
  });
  let asked: () => void = () => undefined;
  const isAsked = new Promise<void>((resolve) => {
    asked = resolve;
  });
  const items = [{ ...told, lines: [...told.lines, ...told.lines], title: "told anew" }];
  const bodyOf = async (url: string): Promise<string> => {
    asked();
    await isLet;
    return JSON.stringify(url.includes("incidents") ? { items } : { items: [], asOf: "" });
  };
  const member = createServer((request, response) => {
    void (async () => response.end(await bodyOf(request.url ?? "")))();
  });
  await new Promise<void>((resolve) => member.listen(0, "127.0.0.1", resolve));
  const { port } = member.address() as AddressInfo;
  const clock = virtualClock();
  const chronicle = await Chronicle.open({
    node: "n9",
    stateDir,
    version: "1",
    clock,
    places: undefined,
  });
  const keeper = new IncidentKeeper({
    node: "n9",
    stateDir,
    chronicle,
    clock,
    log: createLog({ level: "error", isTerminal: false, write: () => undefined }),
    tls: {},
    others: () => ({
      members: [{ name: "n8", apiUrl: `http://127.0.0.1:${port}` }],
      routers: [],
    }),
  });
  try {
    const telling = keeper.current();
    await isAsked;
    const word = { by: "ann", note: undefined, at: 5 };
    expect(await keeper.acknowledge(told.id, word)).toMatchObject({ acknowledged: { by: "ann" } });
    answer();
    expect(await telling).toMatchObject([{ title: "told anew", acknowledged: { by: "ann" } }]);
    expect(await keeper.own()).toMatchObject([{ acknowledged: { by: "ann" } }]);
    expect(keeper.summary().unacknowledged).toBe(0);
  } finally {
    keeper.close();
    await chronicle.close();
    member.close();
    rmSync(stateDir, { recursive: true, force: true });
  }
});
