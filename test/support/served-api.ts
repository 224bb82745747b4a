// A REST API on a socket of its own, behind which is a view that a test has made.
import { onTestFinished } from "vitest";
import { createApi } from "../../src/agent/api/api.ts";
import type { View } from "../../src/agent/api/node-view.ts";
import { contextOf, fakeNode, settings } from "./node-view.ts";

/** Closed when the test ends; `more` goes into the node's file. */
export async function serveApi(view: View, more = "") {
  const node = fakeNode(view);
  const of = settings(more);
  // Port 0 is nothing a file may ask for; tests take any free port.
  const rest = { ...of.rest, listen: { host: "127.0.0.1", port: 0 } };
  const api = createApi(contextOf(node, { ...of, rest }));
  const { port } = await api.listen();
  onTestFinished(() => api.close(0));
  const scheme = rest.tls === undefined ? "http" : "https";
  return { node, api, of, port, url: `${scheme}://127.0.0.1:${port}` };
}
