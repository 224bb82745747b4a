import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  contextOf,
  fakeNode,
  primaryView,
  settings,
  standbyView,
} from "../../../test/support/node-view.ts";
import { serveApi } from "../../../test/support/served-api.ts";
import { callHttp, loadTls } from "../../adapters/http/client.ts";
import { createPeers } from "../../adapters/peers/peers.ts";
import { AppError } from "../../model/error.ts";
import { createApi } from "./api.ts";

const TIMEOUT_MS = 3_000;
const clock = { now: () => 1 as never };

const serve = (more = "", view = primaryView()) => serveApi(view, more);

/** One raw exchange, since HEAD and OPTIONS are what load balancers send. */
function raw(port: number, request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(request));
    let answer = "";
    socket.on("data", (chunk) => (answer += chunk.toString()));
    socket.on("close", () => resolve(answer));
    socket.on("error", reject);
    socket.setTimeout(TIMEOUT_MS, () => socket.destroy(new Error("no answer in time")));
  });
}

const ask = (port: number, method: string, path: string) =>
  raw(port, `${method} ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);

describe("over a real socket", () => {
  it.each(["GET", "HEAD", "OPTIONS"])("%s / tells whether to send writes", async (method) => {
    const { port, node } = await serve();
    const good = await ask(port, method, "/");
    expect(good).toMatch(/^HTTP\/1\.1 200 /);
    expect(good.endsWith("}")).toBe(method === "GET");
    node.seen = standbyView();
    expect(await ask(port, method, "/primary?x=1")).toMatch(/^HTTP\/1\.1 503 /);
  });

  it("answers unknown paths as checks that fail, never as missing", async () => {
    const { port } = await serve();
    expect(await ask(port, "GET", "/nonsense")).toMatch(/^HTTP\/1\.1 503 [^]*"state":"running"/);
    expect(await ask(port, "GET", "/liveness")).toMatch(/^HTTP\/1\.1 200 /);
    expect(await ask(port, "GET", "/readiness")).toMatch(/^HTTP\/1\.1 200 /);
    expect(await ask(port, "POST", "/nonsense")).toMatch(/^HTTP\/1\.1 501 /);
    expect(await ask(port, "GET", "/cluster")).toMatch(/^HTTP\/1\.1 200 [^]*"members"/);
    expect(await ask(port, "GET", "/understudy/status")).toMatch(/^HTTP\/1\.1 200 /);
  });

  it("sends the headers of the file with every answer, those for TLS only with TLS", async () => {
    const { port } = await serve(
      "restapi: {request_queue_size: 9, http_extra_headers: {X-Frame-Options: DENY}, https_extra_headers: {Strict-Transport-Security: max-age=9}}",
    );
    for (const path of ["/primary", "/cluster", "/nonsense"])
      expect(await ask(port, "GET", path)).toMatch(/\r\nx-frame-options: DENY\r\n/i);
    expect(await ask(port, "OPTIONS", "/primary")).not.toMatch(/strict-transport-security/i);
  });

  it("is read by other members", async () => {
    const { url, node } = await serve();
    const peers = createPeers({ scope: "demo", clock });
    const answer = await peers.ask(url, TIMEOUT_MS);
    expect(answer).toEqual({ kind: "known", value: node.seen.peer, at: 1 });
    expect(await peers.ask(`${url}/patroni`, TIMEOUT_MS)).toMatchObject({ kind: "known" });
  });

  it("says in which way it can't be reached", async () => {
    const { url, api } = await serve();
    await api.close(0);
    const answer = await createPeers({ scope: "demo", clock }).ask(url, TIMEOUT_MS);
    expect(answer).toMatchObject({ kind: "unknown", why: "connection refused" });
    const error = await callHttp({ method: "GET", url, timeoutMs: TIMEOUT_MS }).catch((e) => e);
    expect(error).toBeInstanceOf(AppError);
    expect(error.code).toBe("PEER_UNREACHABLE");
  });

  it("gives up on a member that accepts and says nothing", async () => {
    const { node, url } = await serve();
    node.fresh = () => new Promise(() => {});
    const answer = await createPeers({ scope: "demo", clock }).ask(url, 100);
    expect(answer).toMatchObject({ kind: "unknown", why: "limit 100 ms" });
  });

  it("names the address that is taken", async () => {
    const { port } = await serve();
    const of = settings();
    const rest = { ...of.rest, listen: { host: "127.0.0.1", port } };
    const second = createApi(contextOf(fakeNode(), { ...of, rest }));
    await expect(second.listen()).rejects.toMatchObject({
      code: "PORT_IN_USE",
      attempt: `listening for REST on 127.0.0.1:${port}`,
    });
  });
});

describe("over TLS", () => {
  let dir = "";
  const file = (name: string) => join(dir, name);
  const openssl = (args: string) =>
    execFileSync("openssl", args.split(" "), { cwd: dir, stdio: "ignore" });

  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), "understudy-tls-"));
    writeFileSync(file("san"), "subjectAltName=IP:127.0.0.1\n");
    const curve = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    openssl(`req -x509 ${curve} -days 2 -subj /CN=ca -keyout ca.key -out ca.pem`);
    openssl(`req ${curve} -subj /CN=node -keyout node.key -out node.csr`);
    openssl(
      "x509 -req -days 2 -in node.csr -CA ca.pem -CAkey ca.key -CAcreateserial -extfile san -out node.pem",
    );
  });
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  const yaml = (verify: string) =>
    `restapi: {certfile: ${file("node.pem")}, keyfile: ${file("node.key")}, cafile: ${file("ca.pem")}, verify_client: ${verify}}`;
  const reload = (url: string, files: Parameters<typeof loadTls>[0]) =>
    callHttp({ method: "POST", url: `${url}/reload`, timeoutMs: TIMEOUT_MS, tls: loadTls(files) });

  it("takes a key that a password opens, and a list of ciphers", async () => {
    openssl("pkey -aes256 -passout pass:open-sesame -in node.key -out locked.key");
    const rest = (more: string) =>
      `restapi: {certfile: ${file("node.pem")}, keyfile: ${file("locked.key")}, ${more}}`;
    const { url } = await serve(
      rest("keyfile_password: open-sesame, ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384'"),
    );
    const call = { method: "GET", url: `${url}/patroni`, timeoutMs: TIMEOUT_MS } as const;
    const tls = loadTls({ cafile: file("ca.pem") });
    expect((await callHttp({ ...call, tls })).status).toBe(200);
    const other = { ...tls, maxVersion: "TLSv1.2", ciphers: "ECDHE-ECDSA-AES128-GCM-SHA256" };
    await expect(callHttp({ ...call, tls: other })).rejects.toMatchObject({
      code: "PEER_UNREACHABLE",
    });
    for (const bad of ["keyfile_password: wrong", "keyfile_password: open-sesame, ciphers: none"])
      await expect(serve(rest(bad))).rejects.toMatchObject({
        code: "CONFIG_INVALID",
        attempt: "preparing TLS as restapi says",
      });
  });

  it("is trusted through its authority only", async () => {
    const { url } = await serve(yaml("none"));
    const trusting = createPeers({
      scope: "demo",
      clock,
      tls: loadTls({ cafile: file("ca.pem") }),
    });
    expect(await trusting.ask(url, TIMEOUT_MS)).toMatchObject({ kind: "known" });
    expect(await createPeers({ scope: "demo", clock }).ask(url, TIMEOUT_MS)).toMatchObject({
      kind: "unknown",
    });
  });

  const ours = () => ({
    cafile: file("ca.pem"),
    certfile: file("node.pem"),
    keyfile: file("node.key"),
  });

  it("asks for a certificate before a change when it is optional", async () => {
    const { url } = await serve(yaml("optional"));
    const call = { method: "GET", url: `${url}/patroni`, timeoutMs: TIMEOUT_MS } as const;
    const tls = loadTls({ cafile: file("ca.pem") });
    expect((await callHttp({ ...call, tls })).status).toBe(200);
    expect((await reload(url, { cafile: file("ca.pem") })).status).toBe(403);
    expect((await reload(url, ours())).status).toBe(202);
  });

  it("talks to nobody without a certificate when it is required", async () => {
    const { url } = await serve(yaml("required"));
    await expect(reload(url, { cafile: file("ca.pem") })).rejects.toMatchObject({
      code: "PEER_UNREACHABLE",
    });
    expect((await reload(url, ours())).status).toBe(202);
  });

  it("names the certificate that can't be read", () => {
    const more = "restapi: {certfile: /nonexistent.pem}";
    expect(() => createApi(contextOf(fakeNode(), settings(more)))).toThrow(/nonexistent/);
  });
});
