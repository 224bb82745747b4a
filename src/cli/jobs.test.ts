// Does a member that refuses to say its jobs count as one without any?
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { jobsAt } from "./jobs.ts";

test("an answer that is no list of jobs is not taken for an empty one", async () => {
  const answers: (readonly [status: number, body: string])[] = [
    [200, JSON.stringify({ kind: "Jobs", items: [] })],
    [403, "not for you"],
    [200, "<html>"],
  ];
  const server = createServer((_, response) => {
    const [status = 500, body = ""] = answers.shift() ?? [];
    response.writeHead(status).end(body);
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const ask = () => jobsAt({ tls: {}, credentials: undefined }, `http://127.0.0.1:${port}`);
  try {
    expect(await ask()).toEqual([]);
    await expect(ask()).rejects.toMatchObject({ code: "PEER_UNREACHABLE" });
    await expect(ask()).rejects.toMatchObject({ code: "PEER_UNREACHABLE" });
  } finally {
    server.close();
  }
});
