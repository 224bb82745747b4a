// Does the doctor see on a real server what is wrong with it, through the agent and without one?
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { AgentStage, PASSWORD, type TestAgent } from "../support/agent.ts";
import { until } from "../support/until.ts";

interface Found {
  readonly nodes: readonly string[];
  readonly fixes: readonly string[];
  readonly items: readonly {
    readonly id: string;
    readonly severity: string;
    readonly found: string;
  }[];
}

let stage: AgentStage;
let a: TestAgent;

beforeAll(async () => {
  stage = await AgentStage.open();
  await stage.etcd();
  a = await stage.node("a");
  await a.startAndLead();
});

afterAll(async () => {
  await stage[Symbol.asyncDispose]();
});

async function doctor(...flags: readonly string[]) {
  const { exit, out, err } = await stage.cli("-c", a.file, "doctor", "--json", ...flags);
  if (!out.startsWith("{")) throw new Error(`${exit}: ${out}${err}`);
  const told = JSON.parse(out) as Found;
  const of = (id: string) => told.items.filter((item) => item.id === id).map(({ found }) => found);
  return { exit, told, of };
}

describe("through the agent", () => {
  test("what applications left in the server is found by name", async () => {
    await a.sql("CREATE TABLE bare (n int); CREATE UNLOGGED TABLE quick (n int PRIMARY KEY)");
    await a.sql(
      "CREATE TABLE counted (n serial PRIMARY KEY); SELECT setval('counted_n_seq', 2e9::int)",
    );
    await a.sql("SET password_encryption = md5; CREATE ROLE olly LOGIN PASSWORD 'tea'");
    const { told, of } = await doctor();
    expect(told.nodes).toEqual(["a"]);
    expect(of("postgres_unread")).toEqual([]);
    expect(of("application_no_primary_key")).toEqual(["postgres: public.bare"]);
    expect(of("postgres_unlogged")).toEqual(["postgres: public.quick"]);
    expect(of("application_sequence")).toEqual(["postgres: public.counted_n_seq (93 %)"]);
    expect(of("security_md5")).toEqual(["olly: kept as md5"]);
    expect(of("store_members")).toEqual(["one member"]);
  });

  test("files that others can read are found, and closed when asked", async () => {
    chmodSync(a.file, 0o644);
    expect((await doctor()).of("security_loose_file")).toEqual([`${a.file} has mode 0644`]);
    expect(statSync(a.file).mode & 0o777).toBe(0o644);
    const { told, of } = await doctor("--fix");
    expect(told.fixes).toContain(`a: done: chmod 0640 ${a.file}`);
    expect(of("security_loose_file")).toEqual([]);
    expect(statSync(a.file).mode & 0o777).toBe(0o640);
  });

  test("a person reads it as sentences, and the worst gives the exit code", async () => {
    const { exit, out } = await stage.cli("-c", a.file, "doctor");
    expect(exit).toBe((await doctor()).exit);
    expect(out).toMatch(/checks on a: .*\d+ warnings/);
    expect(out).toContain("▲ warning  postgres_unlogged  a");
    for (const line of out.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
  });
});

describe("a report", () => {
  test("has what is known of every node, and no secret in any of its files", async () => {
    const shaped = "tr0ub4dor";
    await a.sql(
      `DO $$ BEGIN RAISE LOG 'heard ${PASSWORD} and postgresql://ann:${shaped}@h/app'; END $$`,
    );
    await a.rest("PATCH", "/config", {
      postgresql: { parameters: { archive_cleanup_command: `true password=${shaped}` } },
    });
    // Nobody has measured lag in the first seconds of a server.
    await until("the lag is known", async () => {
      const { status } = await a.rest("GET", "/understudy/lag");
      return status === 200;
    });
    const file = join(stage.root, "report.tar.gz");
    const { exit, out } = await stage.cli("-c", a.file, "report", "--out", file);
    expect([exit, out]).toMatchObject([0, /secrets are masked/]);
    const place = mkdtempSync(join(stage.root, "unpacked-"));
    execFileSync("tar", ["-xzf", file, "-C", place, "--strip-components=1"]);
    const files = readdirSync(place, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
    const text = (name: string) => readFileSync(join(place, name), "utf8");
    expect(text("a/server-log.json")).toContain("heard ****** and postgresql://ann:******@h/app");
    expect(text("a/config.json")).toContain("password=******");
    expect(text("node-file.yml")).toContain("******");
    for (const name of ["status", "history", "doctor", "journal", "events", "incidents", "lag"]) {
      expect(() => JSON.parse(text(`a/${name}.json`)), name).not.toThrow();
    }
    for (const path of files) {
      const found = [PASSWORD, shaped].filter((secret) =>
        readFileSync(path, "utf8").includes(secret),
      );
      expect(found, path).toEqual([]);
    }
  });

  test("is made although nobody answers, and says what is missing", async () => {
    const file = join(stage.root, "lonely.tar.gz");
    expect(await a.stop()).toBe(0);
    const { exit, err } = await stage.cli("-c", a.file, "report", "--out", file);
    expect([exit, err]).toMatchObject([0, /missing: no member/]);
    expect(existsSync(file)).toBe(true);
    const { exit: refused, err: why } = await stage.cli("-c", a.file, "report", "--out", "/no/x");
    expect([refused, why]).toMatchObject([6, /name another file with --out/]);
  });
});

describe("without an agent", () => {
  test("the ground is looked at before the start, and a taken address is critical", async () => {
    if (a.isRunning) expect(await a.stop()).toBe(0);
    const { exit, told, of } = await doctor();
    expect(told.nodes).toEqual(["a"]);
    expect(of("ground_address_taken")).toEqual([]);
    // Whatever else this machine lacks, such as room on its disk.
    const worst = told.items.some(({ severity }) => severity === "critical") ? 4 : 3;
    expect(exit).toBe(worst);
    const stranger = createServer();
    await new Promise<void>((resolve) => stranger.listen(a.port, a.address, resolve));
    try {
      const again = await doctor();
      expect(again.of("ground_address_taken")).toEqual([`${a.address}:${a.port} is in use`]);
      expect(again.exit).toBe(4);
    } finally {
      stranger.close();
    }
  });

  test("a file that cannot be read is refused as everywhere", async () => {
    const { exit, err } = await stage.cli("-c", `${a.file}.no`, "doctor");
    expect(exit).toBe(2);
    expect(err).toContain("CONFIG_NOT_FOUND");
  });
});
