// Do agents, their store, their peers and the command line speak with each other under passwords and certificates?
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync } from "node:fs";
import { request } from "node:https";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadTls } from "../../src/adapters/http/client.ts";
import { AgentStage, type TestAgent } from "../support/agent.ts";
import { type EtcdTls, makeCertificates } from "../support/etcd.ts";

const USER = "understudy";
const PASSWORD = "store-secret";

let stage: AgentStage;
let tls: EtcdTls;
/** etcd's gateway refuses a client certificate with a common name once passwords are asked for. */
let visitor: { readonly cert: string; readonly key: string };
let a: TestAgent;
let b: TestAgent;

const storeOf = (password: string) => ({
  protocol: "https",
  cacert: tls.ca,
  cert: visitor.cert,
  key: visitor.key,
  username: USER,
  password,
});
const login = { username: "admin", password: "rest-secret" };

beforeAll(async () => {
  stage = await AgentStage.open();
  const folder = join(stage.root, "certificates");
  mkdirSync(folder);
  tls = await makeCertificates(folder);
  visitor = certificate("visitor", "/O=understudy", "127.0.0.1");
  const etcd = await stage.etcd({ tls });
  await etcd.ctl("user", "add", `root:${PASSWORD}`);
  await etcd.ctl("user", "add", `${USER}:${PASSWORD}`);
  await etcd.ctl("role", "add", USER);
  await etcd.ctl("role", "grant-permission", USER, "--prefix=true", "readwrite", "/service/");
  await etcd.ctl("user", "grant-role", USER, USER);
  await etcd.ctl("user", "grant-role", "root", "root");
  await etcd.ctl("auth", "enable");
  a = await node("a");
  b = await node("b");
});

afterAll(async () => {
  await stage[Symbol.asyncDispose]();
});

/** A member whose certificate names its address, which takes changes from holders of one and the password. */
async function node(name: string): Promise<TestAgent> {
  const member = await stage.node(name, { etcd3: storeOf(PASSWORD) });
  const { cert, key } = certificate(name, `/CN=${name}`, member.address);
  member.secure(loadTls({ cafile: tls.ca, certfile: cert, keyfile: key }));
  member.change({
    restapi: {
      certfile: cert,
      keyfile: key,
      cafile: tls.ca,
      verify_client: "required",
      authentication: login,
    },
  });
  return member;
}

function certificate(name: string, subject: string, address: string) {
  const at = (end: string): string => join(stage.root, "certificates", `${name}.${end}`);
  const authority = ["-CA", tls.ca, "-CAkey", tls.ca.replace(/\.crt$/, ".key")];
  execFileSync(
    "openssl",
    [
      ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"],
      ...["-days", "2", "-subj", subject, ...authority],
      ...[
        "-addext",
        `subjectAltName=IP:${address}`,
        "-addext",
        "extendedKeyUsage=serverAuth,clientAuth",
      ],
      ...["-keyout", at("key"), "-out", at("crt")],
    ],
    { stdio: "ignore" },
  );
  chmodSync(at("key"), 0o600);
  return { cert: at("crt"), key: at("key") };
}

describe("a store with a password and certificates", () => {
  test("does not let in whom it does not know", async () => {
    a.change({ etcd3: storeOf("wrong") });
    a.start();
    const { exit, lines } = await a.ended();
    expect([exit, lines]).toMatchObject([
      5,
      ["log in to the store", /refused the request/, /user/],
    ]);
    a.change({ etcd3: storeOf(PASSWORD) });
  });

  test("serves the cluster", async () => {
    await a.startAndLead();
    b.start();
    await b.untilReason("following");
    await a.untilStatus("both are well", ({ health }) => health === "healthy");
    expect(await a.sql("CREATE TABLE kept (n int)")).toBe("");
  });
});

describe("REST with certificates and a password", () => {
  test("serves the command line", async () => {
    const status = await stage.cli("-c", a.file, "status");
    expect([status.exit, status.out]).toMatchObject([0, /a is the primary; b can take over/]);
    const patch = await stage.cli("-c", b.file, "config", "patch", "loop_wait=2");
    expect([patch.exit, patch.err]).toMatchObject([0, expect.anything()]);
  });

  test("answers nobody without a certificate", async () => {
    await expect(
      get(`${a.apiUrl}/health`, { ca: loadTls({ cafile: tls.ca }).ca }),
    ).rejects.toThrow();
  });

  test("refuses a change without the password", async () => {
    expect((await a.rest("PATCH", "/config", { ttl: 20 })).status).toBe(401);
    expect((await a.rest("GET", "/config")).text).toContain('"ttl":10');
  });

  test("carries what members ask each other in a switchover", async () => {
    const moved = await stage.cli("-c", a.file, "switchover", "--to", "b", "--yes");
    expect([moved.exit, moved.err]).toMatchObject([0, expect.anything()]);
    await b.untilReason("leading");
    await a.untilReason("following");
    expect(await b.sql("INSERT INTO kept VALUES (1) RETURNING n")).toBe("1");
  });

  test("keeps a twin out", async () => {
    const twin = await node("a");
    twin.start();
    const { exit, lines } = await twin.ended();
    expect([exit, lines[1]]).toMatchObject([
      6,
      expect.stringContaining(`one answers at ${a.apiUrl}`),
    ]);
  });
});

test("the command line finds the others through the store when the own agent is down", async () => {
  expect(await a.stop()).toBe(0);
  const { exit, out } = await stage.cli("-c", a.file, "status");
  expect([exit, out]).toMatchObject([3, /b is the primary/]);
});

function get(url: string, tlsOptions: object): Promise<number> {
  return new Promise((resolve, reject) => {
    const call = request(url, { ...tlsOptions, agent: false }, (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? 0);
    });
    call.on("error", reject);
    call.end();
  });
}
