// A real etcd of one or three members on loopback, for as long as a test needs it.
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { freePorts } from "./free-port.ts";

const run = promisify(execFile);

export interface EtcdMember {
  readonly url: string;
  /** Ends the process, as a crash does; the data stays. */
  stop(): Promise<void>;
  start(): Promise<void>;
  /** Freezes it, down to its last thread; connections are still accepted by the kernel. */
  pause(): Promise<void>;
  resume(): void;
}

export interface EtcdOptions {
  readonly members?: 1 | 3;
  readonly tls?: EtcdTls;
  /** More arguments for every member. */
  readonly args?: readonly string[];
}

/** Files of a throw-away certificate authority; `server` is good for both directions, as the gateway needs. */
export interface EtcdTls {
  readonly ca: string;
  readonly server: { readonly cert: string; readonly key: string };
  readonly client: { readonly cert: string; readonly key: string };
}

export interface Etcd {
  readonly endpoints: readonly string[];
  readonly members: readonly EtcdMember[];
  /** Runs etcdctl against all members. */
  ctl(...args: readonly string[]): Promise<string>;
  [Symbol.asyncDispose](): Promise<void>;
}

const START_LIMIT_MS = 15_000;
const STOP_LIMIT_MS = 5000;
const POLL_MS = 50;

export async function startEtcd(options: EtcdOptions = {}): Promise<Etcd> {
  const count = options.members ?? 1;
  const folder = await mkdtemp(join(tmpdir(), "understudy-etcd-"));
  const ports = await freePorts(count * 2);
  const scheme = options.tls === undefined ? "http" : "https";
  const places = Array.from({ length: count }, (_, i) => ({
    name: `e${i + 1}`,
    client: `${scheme}://127.0.0.1:${ports[2 * i]}`,
    peer: `http://127.0.0.1:${ports[2 * i + 1]}`,
  }));
  const cluster = places.map((p) => `${p.name}=${p.peer}`).join(",");
  const members = places.map((place) =>
    createMember(place.client, [
      ...["--name", place.name, "--data-dir", join(folder, place.name)],
      ...["--listen-client-urls", place.client, "--advertise-client-urls", place.client],
      ...["--listen-peer-urls", place.peer, "--initial-advertise-peer-urls", place.peer],
      ...["--initial-cluster", cluster, "--heartbeat-interval", "100", "--election-timeout", "500"],
      ...tlsArguments(options.tls),
      ...(options.args ?? []),
    ]),
  );
  const endpoints = places.map((p) => p.client);
  const ctl = async (...args: readonly string[]): Promise<string> => {
    const { stdout } = await run(
      "etcdctl",
      [`--endpoints=${endpoints.join(",")}`, ...ctlArguments(options.tls), ...args],
      { env: { ...process.env, ETCDCTL_API: "3" }, timeout: START_LIMIT_MS },
    );
    return stdout;
  };
  const etcd: Etcd = {
    endpoints,
    members,
    ctl,
    async [Symbol.asyncDispose]() {
      await Promise.all(members.map((member) => member.stop()));
      await rm(folder, { recursive: true, force: true });
    },
  };
  try {
    await Promise.all(members.map((member) => member.start()));
    await until("etcd has a leader", () => ctl("endpoint", "health"));
    return etcd;
  } catch (error) {
    await etcd[Symbol.asyncDispose]();
    throw error;
  }
}

function createMember(url: string, args: readonly string[]): EtcdMember {
  let child: ChildProcess | undefined;
  let lastWords = "";
  return {
    url,
    async start() {
      if (child !== undefined) return;
      const started = spawn("etcd", [...args], { stdio: ["ignore", "ignore", "pipe"] });
      child = started;
      started.stderr?.on("data", (chunk: Buffer) => {
        lastWords = (lastWords + chunk.toString()).slice(-2000);
      });
      const port = Number(new URL(url).port);
      await until("etcd listens", async () => {
        if (started.exitCode !== null) throw new Error(`etcd ended: ${lastWords}`);
        await canConnect(port);
      });
    },
    async stop() {
      const ending = child;
      child = undefined;
      if (ending === undefined || ending.exitCode !== null) return;
      const gone = once(ending, "exit", { signal: AbortSignal.timeout(STOP_LIMIT_MS) });
      ending.kill("SIGKILL");
      await gone;
    },
    async pause() {
      child?.kill("SIGSTOP");
      await until("etcd stands still", () => standsStill(child?.pid));
    },
    resume: () => void child?.kill("SIGCONT"),
  };
}

/** Tries until it works; says what it waited for when it never does. */
async function until(what: string, attempt: () => Promise<unknown>): Promise<void> {
  const giveUpAt = Date.now() + START_LIMIT_MS;
  for (;;) {
    try {
      await attempt();
      return;
    } catch (error) {
      if (Date.now() > giveUpAt) throw new Error(`waited too long: ${what}`, { cause: error });
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }
}

/** A signal is only on its way when it has been sent: a thread that still runs could give one more answer. */
async function standsStill(pid: number | undefined): Promise<void> {
  const tasks = `/proc/${pid}/task`;
  for (const task of await readdir(tasks)) {
    const stat = await readFile(join(tasks, task, "stat"), "latin1");
    if (!/\) T /.test(stat)) throw new Error(`thread ${task} runs`);
  }
}

async function canConnect(port: number): Promise<void> {
  const { connect } = await import("node:net");
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
  } finally {
    socket.destroy();
  }
}

const tlsArguments = (tls: EtcdTls | undefined): readonly string[] =>
  tls === undefined
    ? []
    : [
        ...["--cert-file", tls.server.cert, "--key-file", tls.server.key],
        ...["--trusted-ca-file", tls.ca, "--client-cert-auth"],
      ];

const ctlArguments = (tls: EtcdTls | undefined): readonly string[] =>
  tls === undefined
    ? []
    : [`--cacert=${tls.ca}`, `--cert=${tls.client.cert}`, `--key=${tls.client.key}`];

/** Makes an authority, a server's and a client's certificate with openssl, all below `folder`. */
export async function makeCertificates(folder: string): Promise<EtcdTls> {
  const at = (name: string): string => join(folder, name);
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
  await run("openssl", [
    ...["req", "-x509", ...key, "-subj", "/CN=test authority"],
    ...["-keyout", at("ca.key"), "-out", at("ca.crt")],
  ]);
  const issue = async (name: string, usage: string) => {
    await run("openssl", [
      ...[
        "req",
        "-x509",
        ...key,
        "-subj",
        `/CN=${name}`,
        "-CA",
        at("ca.crt"),
        "-CAkey",
        at("ca.key"),
      ],
      ...["-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"],
      ...["-addext", "basicConstraints=critical,CA:FALSE"],
      ...["-addext", `extendedKeyUsage=${usage}`],
      ...["-keyout", at(`${name}.key`), "-out", at(`${name}.crt`)],
    ]);
    return { cert: at(`${name}.crt`), key: at(`${name}.key`) };
  };
  const server = await issue("server", "serverAuth,clientAuth");
  const client = await issue("client", "clientAuth");
  return { ca: at("ca.crt"), server, client };
}

/** The PEM texts that a client needs. */
export async function clientTexts(tls: EtcdTls) {
  const [ca, cert, key] = await Promise.all(
    [tls.ca, tls.client.cert, tls.client.key].map((file) => readFile(file, "utf8")),
  );
  return { ca: ca ?? "", cert: cert ?? "", key: key ?? "" };
}
