// Do agents, their store, their peers and the command line speak with each other under passwords and certificates?
import { execFileSync } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, renameSync } from "node:fs";
import { request } from "node:https";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { loadTls } from "../../src/adapters/http/client.ts";
import { memberTarget, withSession } from "../../src/adapters/postgres/session.ts";
import { serverAccount } from "../../src/lab/programs.ts";
import { Secret } from "../../src/model/secret.ts";
import type { DatabaseLogin, Protection } from "../../src/model/settings.ts";
import { AgentStage, PASSWORD as SERVER_PASSWORD, type TestAgent } from "../support/agent.ts";
import { type EtcdTls, makeCertificates } from "../support/etcd.ts";

const USER = "understudy";
const PASSWORD = "store-secret";
const KEY_PASSWORD = "key-secret";
const SESSION_LIMIT_MS = 10_000;
const OWN_TLS = "SELECT ssl, client_dn AS dn FROM pg_stat_ssl WHERE pid = pg_backend_pid()";

let stage: AgentStage;
let tls: EtcdTls;
/** etcd's gateway refuses a client certificate with a common name once passwords are asked for. */
let visitor: { readonly cert: string; readonly key: string };
let replicatorFiles: { readonly cert: string; readonly key: string };
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
  replicatorFiles = certificate("replicator", "/CN=replicator", "127.0.0.1");
  lockKey(replicatorFiles.key);
  a = await node("a");
  b = await node("b");
});

afterAll(async () => {
  await stage[Symbol.asyncDispose]();
});

/** How a member logs in to another one's server: by password and certificate, whose key a password opens. */
function replicator(): DatabaseLogin {
  const { cert, key } = replicatorFiles;
  return {
    username: "replicator",
    password: new Secret(`${SERVER_PASSWORD}-r`),
    protection: {
      sslmode: "verify-full",
      sslcert: cert,
      sslkey: key,
      sslrootcert: tls.ca,
      channel_binding: "require",
    },
    keyPassword: new Secret(KEY_PASSWORD),
  };
}

/** A server that speaks TLS, and lets the replicator in with a certificate only. */
function closedServer(name: string, address: string) {
  const { cert, key } = certificate(`${name}-server`, `/CN=${name}`, address);
  serverOwns(key);
  const { protection, password } = replicator();
  return {
    parameters: { ssl: "on", ssl_cert_file: cert, ssl_key_file: key, ssl_ca_file: tls.ca },
    pg_hba: [
      "hostssl replication,postgres replicator all scram-sha-256 clientcert=verify-ca",
      "host all replicator all reject",
      "host all all all scram-sha-256",
    ],
    authentication: {
      replication: {
        username: "replicator",
        password: password?.reveal(),
        ...protection,
        sslpassword: KEY_PASSWORD,
      },
    },
  };
}

/** The server's user runs what reads the key, and nobody else may. */
const serverOwns = (file: string): void => {
  const account = serverAccount();
  if (account !== undefined) chownSync(file, account.uid, account.gid);
};

/** A member whose certificate names its address, which takes changes from holders of one and the password. */
async function node(name: string): Promise<TestAgent> {
  const member = await stage.node(name, { etcd3: storeOf(PASSWORD) });
  const { cert, key } = certificate(name, `/CN=${name}`, member.address);
  member.secure(loadTls({ cafile: tls.ca, certfile: cert, keyfile: key }));
  member.change({
    postgresql: closedServer(name, member.address),
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

/** The key can be read only with the password from now on. */
function lockKey(file: string): void {
  const aes = ["-aes256", "-passout", `pass:${KEY_PASSWORD}`];
  execFileSync("openssl", ["pkey", "-in", file, ...aes, "-out", `${file}.locked`]);
  renameSync(`${file}.locked`, file);
  chmodSync(file, 0o600);
  serverOwns(file);
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
    onTestFinished(() => a.change({ etcd3: storeOf(PASSWORD) }));
    a.change({ etcd3: storeOf("wrong") });
    a.start();
    const { exit, lines } = await a.ended();
    expect([exit, lines]).toMatchObject([
      5,
      [/channel_binding is insisted on/, "log in to the store", /refused the request/, /user/],
    ]);
  });

  test("serves the cluster", async () => {
    await a.startAndLead();
    b.start();
    await b.untilReason("following");
    await a.untilStatus("both are well", ({ health }) => health === "healthy");
    expect(await a.sql("CREATE TABLE kept (n int)")).toBe("");
  });
});

describe("servers that let members in by certificate", () => {
  const withOptions = (change: Protection): DatabaseLogin => ({
    ...replicator(),
    protection: { ...replicator().protection, ...change },
  });
  const tlsOf = (as: DatabaseLogin) =>
    withSession(
      memberTarget({ host: a.address, port: a.port }, as, "postgres"),
      SESSION_LIMIT_MS,
      (session) => session.query(OWN_TLS, [], SESSION_LIMIT_MS),
    );

  test("have been copied and are followed so, with a key that a password opens", async () => {
    const replica = "SELECT ssl, client_dn FROM pg_stat_ssl JOIN pg_stat_replication USING (pid)";
    expect(await a.answers(replica)).toBe("t|/CN=replicator");
  });

  test("let the agent's own sessions in by the same options", async () => {
    expect(await tlsOf(replicator())).toEqual([{ ssl: true, dn: "/CN=replicator" }]);
  });

  test("are tried with TLS where nobody wrote a mode and the plain way is refused", async () => {
    const { sslmode: _, ...unwritten } = replicator().protection ?? {};
    expect(await tlsOf({ ...replicator(), protection: unwritten })).toMatchObject([{ ssl: true }]);
  });

  test("refuse whoever has less", async () => {
    await expect(tlsOf(withOptions({ sslmode: "disable" }))).rejects.toThrow(/28000/);
    const bare = { ...replicator(), protection: { sslmode: "require" } };
    await expect(tlsOf(bare)).rejects.toThrow(/28000/);
    const wrong = { ...replicator(), password: new Secret("wrong") };
    await expect(tlsOf(wrong)).rejects.toThrow(/28P01/);
  });

  test("are not believed without the right authority", async () => {
    const stranger = withOptions({ sslrootcert: tls.client.cert });
    await expect(tlsOf(stranger)).rejects.toThrow(/certificate/);
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
    expect([exit, lines.join("\n")]).toMatchObject([
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
