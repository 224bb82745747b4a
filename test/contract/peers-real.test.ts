// Do questions over HTTP keep the promises, and does nonsense stay nonsense?
import { createServer, type Server } from "node:http";
import { expect, it } from "vitest";
import { createPeers } from "../../src/adapters/peers/peers.ts";
import { createClock } from "../../src/adapters/system/clock.ts";
import { lsn, printLsn } from "../../src/model/lsn.ts";
import { FIRST_BRANCH } from "../../src/model/timeline.ts";
import { printLineage } from "../../src/model/wire/dcs.ts";
import { printRole } from "../../src/model/wire/role.ts";
import { freePort } from "../support/free-port.ts";
import { peersContract, STATUS } from "./peers-suite.ts";

const clock = createClock();
const peers = createPeers({ clock, scope: "demo" });

/** What a member of ours says of itself at `GET /patroni`, as far as a peer reads it. */
const BODY = JSON.stringify({
  state: STATUS.state,
  role: printRole(STATUS.role),
  timeline: STATUS.timeline,
  patroni: { name: STATUS.name },
  understudy: {
    position: printLsn(lsn(0x5000028)),
    lineage: JSON.parse(printLineage([FIRST_BRANCH])),
  },
});

async function listening(answer: (end: (text: string) => void) => void) {
  const server: Server = createServer((_, response) =>
    answer((text) => response.writeHead(200).end(text)),
  );
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const close = (): void => {
    server.closeAllConnections();
    server.close();
  };
  return { url: `http://127.0.0.1:${port}`, close };
}

peersContract("a question over HTTP", async () => {
  const answering = await listening((end) => end(BODY));
  const silent = await listening(() => undefined);
  return {
    clock,
    peers,
    answering: answering.url,
    silent: silent.url,
    nobody: `http://127.0.0.1:${await freePort()}`,
    [Symbol.asyncDispose]() {
      answering.close();
      silent.close();
      return Promise.resolve();
    },
  };
});

it("takes an answer that is no member's for none", async () => {
  const nonsense = await listening((end) => end("<html>"));
  try {
    expect((await peers.ask(nonsense.url, 1_000)).kind).toBe("unknown");
  } finally {
    nonsense.close();
  }
});
