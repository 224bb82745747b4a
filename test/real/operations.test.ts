// The commands of planned work, as a person types them, against a real cluster of three.
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { stopOurs } from "../../src/lab/bench/take-over.ts";
import { startAgent } from "../../src/lab/nodes.ts";
import { until } from "../support/agent.ts";
import { useLab } from "../support/lab.ts";

const execute = promisify(execFile);
const cli = join(import.meta.dirname, "..", "..", "dist", "cli.mjs");
const LIMIT_MS = 110_000;
const lab = useLab("ops");

interface Answer {
  readonly code: number;
  readonly out: string;
  readonly talk: string;
}

async function run(...args: readonly string[]): Promise<Answer> {
  const file = lab().members[0]?.configFile ?? "";
  try {
    const words = [cli, "-c", file, ...args];
    const { stdout, stderr } = await execute(process.execPath, words, { timeout: LIMIT_MS });
    return { code: 0, out: stdout, talk: stderr };
  } catch (error) {
    const failed = error as { code?: number; stdout?: string; stderr?: string };
    return { code: failed.code ?? 1, out: failed.stdout ?? "", talk: failed.stderr ?? "" };
  }
}

interface Status {
  readonly cluster: { readonly paused: boolean; readonly leader?: string };
  readonly warnings: readonly string[];
  readonly items: readonly {
    readonly name: string;
    readonly leads: boolean;
    readonly pendingRestart: readonly string[];
    readonly scheduledRestart?: string;
    readonly agent: { readonly node?: { readonly server: { readonly startedAt?: string } } };
  }[];
}

const status = async (): Promise<Status> => JSON.parse((await run("status", "--json")).out);
const memberOf = async (name: string) => (await status()).items.find((m) => m.name === name);
const startedAt = async (name: string) => (await memberOf(name))?.agent.node?.server.startedAt;
const isTrue = async (what: string, check: (now: Status) => boolean) =>
  until(what, async () => check(await status()));

let toldIn = "";
beforeAll(() => {
  toldIn = mkdtempSync(join(tmpdir(), "us-told-"));
  // The servers' user writes to it.
  chmodSync(toldIn, 0o777);
});
afterAll(() => rmSync(toldIn, { recursive: true, force: true }));

/** Changes a member's file; it holds after a reload. */
function edit(name: string, change: (file: ReturnType<typeof parse>) => void): void {
  const configFile = lab().members.find((member) => member.name === name)?.configFile ?? "";
  const file = parse(readFileSync(configFile, "utf8"));
  change(file);
  writeFileSync(configFile, stringify(file));
}

/** Every member tells a file of its own what it is told, from now on. */
async function listen(): Promise<void> {
  for (const { name } of lab().members) {
    const into = (file: string) => `sh -c 'echo "$1 $2 $3" >> ${toldIn}/${file}' sh`;
    const actions = ["on_start", "on_stop", "on_restart", "on_role_change"];
    edit(name, (file) => {
      file.postgresql.callbacks = {
        ...Object.fromEntries(actions.map((action) => [action, into(name)])),
        on_reload: into(`${name}.reloads`),
      };
    });
  }
  expect((await run("reload")).code).toBe(0);
}

const toldTo = (name: string): readonly string[] => {
  const file = join(toldIn, name);
  const lines = existsSync(file) ? readFileSync(file, "utf8").trimEnd().split("\n") : [];
  // Patroni's three arguments: action, role, scope.
  return lines.map((line) => line.replace(` ${lab().scope}`, ""));
};

test("a log is followed until somebody has seen enough", async () => {
  const words = [cli, "-c", lab().members[0]?.configFile ?? "", "logs", "n2", "-n", "1", "-f"];
  const child = spawn(process.execPath, words, { stdio: ["ignore", "pipe", "ignore"] });
  let seen = "";
  child.stdout.on("data", (chunk) => (seen += String(chunk)));
  await until("its last line is shown", () => seen.includes("\n"));
  expect(seen).not.toContain("the file was read again");
  expect((await run("reload", "n2")).code).toBe(0);
  await until("what comes is shown", () => seen.includes("the file was read again"));
  const ended = once(child, "exit");
  child.kill("SIGINT");
  expect(await ended).toEqual([0, null]);
});

test("a pause ends by itself, and its traces with it", async () => {
  expect((await run("pause", "--yes", "--reason", "new disks", "--for", "8s")).code).toBe(0);
  // On a slow machine two looks may already be one too many: it is judged from the same one.
  let said = "";
  await isTrue("the pause is seen", ({ cluster, warnings }) => {
    said = warnings.join("\n");
    return cluster.paused;
  });
  expect(said).toMatch(/by .+@.+ .*ends by itself.*\(new disks\)/);
  await isTrue("the pause is over", ({ cluster }) => !cluster.paused);
  await until("the word is taken back", async () => {
    return !(await run("config", "show")).out.includes("pause");
  });
});

test("a restart is scheduled, taken back, and done when it is time", async () => {
  const standby = (await status()).items.find(({ leads }) => !leads)?.name ?? "";
  const before = await startedAt(standby);
  const later = new Date(Date.now() + 3_600_000).toISOString();
  expect((await run("restart", standby, "--at", later, "--yes")).out).toContain("scheduled");
  await isTrue("it is shown", ({ items }) =>
    items.some((m) => m.name === standby && m.scheduledRestart === later),
  );
  const twice = await run("restart", standby, "--at", later, "--yes");
  expect([twice.code, twice.talk.includes("already scheduled")]).toEqual([6, true]);
  expect((await run("restart", "cancel", standby)).out).toContain("deleted");
  const soon = new Date(Date.now() + 2_500).toISOString();
  expect((await run("restart", standby, "--at", soon, "--yes")).code).toBe(0);
  await until("it was restarted", async () => {
    const now = await startedAt(standby);
    return now !== undefined && now !== before;
  });
  await isTrue("nothing is scheduled any more", ({ items }) =>
    items.every((m) => m.scheduledRestart === undefined),
  );
});

test("what waits for a restart is restarted standbys first, the leader by a switchover", async () => {
  const { cluster } = await status();
  await listen();
  expect((await run("config", "patch", "postgresql.parameters.max_connections=150")).code).toBe(0);
  await isTrue("all wait", ({ items }) => items.every((m) => m.pendingRestart.length > 0));
  expect((await run("status")).out).toMatch(/max_connections 100\s+→\s+150/);
  const { code, out, talk } = await run("restart", "--rolling", "--pending", "--switchover", "-y");
  expect(code, talk).toBe(0);
  const last = out
    .split("\n")
    .filter((line) => line.includes("well again"))
    .at(-1);
  expect(last).toContain(`${cluster.leader}: restarted`);
  const now = await status();
  expect(now.cluster.leader).not.toBe(cluster.leader);
  expect(now.items.flatMap((m) => m.pendingRestart)).toEqual([]);
  const again = await run("restart", "--rolling", "--pending", "-y");
  expect(again.out).toContain("nothing was done");
  const leader = now.cluster.leader ?? "";
  const third = now.items.map(({ name }) => name).find((n) => n !== leader && n !== cluster.leader);
  await until(
    "everybody was told",
    () => toldTo(leader).length >= 2 && toldTo(third ?? "").length > 0,
  );
  expect(toldTo(leader)).toEqual(["on_restart replica", "on_role_change primary"]);
  expect(toldTo(third ?? "")).toEqual(["on_restart replica"]);
  expect(toldTo(cluster.leader ?? "")).toEqual(["on_stop primary", "on_role_change replica"]);
});

test("less room reaches the standbys after their primary has it", async () => {
  const { cluster } = await status();
  expect((await run("config", "patch", "postgresql.parameters.max_connections=120")).code).toBe(0);
  await isTrue("the leader waits", ({ items }) =>
    items.some((m) => m.leads && m.pendingRestart.length > 0),
  );
  const { code, talk } = await run("restart", "--rolling", "--pending", "-y");
  expect(code, talk).toBe(0);
  expect((await status()).cluster.leader).toBe(cluster.leader);
  await isTrue("nobody waits", ({ items }) => items.every((m) => m.pendingRestart.length === 0));
});

test("a parameter that needs no restart is told as a reload", async () => {
  const leader = (await status()).cluster.leader ?? "";
  expect((await run("config", "patch", "postgresql.parameters.work_mem=5MB")).code).toBe(0);
  const reloads = () => toldTo(`${leader}.reloads`);
  await until("it was told", () => reloads().includes("on_reload primary"));
  // What lies beside the files may have changed, certificates for example: whoever asks is obeyed.
  const before = reloads().length;
  expect((await run("reload", leader)).code).toBe(0);
  await until("the next one was told", () => reloads().length > before);
  expect(reloads().at(-1)).toBe("on_reload primary");
});

test("the configuration lies beside the data of every member, as Patroni keeps it", async () => {
  const { out } = await run("config", "show", "--json");
  expect(out).toContain("5MB");
  for (const { dataDir } of lab().members) {
    const file = join(dataDir, "patroni.dynamic.json");
    await until(`${file} says it`, () =>
      (existsSync(file) ? readFileSync(file, "utf8") : "").includes('"work_mem":"5MB"'),
    );
  }
});

test("an agent that is stopped in order tells of its server's end, and of its start", async () => {
  const standby = (await status()).items.find(({ leads }) => !leads)?.name;
  const member = lab().members.find(({ name }) => name === standby);
  if (member === undefined) throw new Error("there is no standby");
  const before = toldTo(member.name).length;
  await stopOurs(lab(), member);
  await startAgent(lab(), member);
  await until("both are told", () => toldTo(member.name).length >= before + 2);
  expect(toldTo(member.name).slice(before)).toEqual(["on_stop replica", "on_start replica"]);
});

test("a standby is rebuilt from one that offers itself, and shows how far it is", async () => {
  const [origin = "", other = ""] = (await status()).items
    .filter(({ leads }) => !leads)
    .map(({ name }) => name);
  edit(origin, (file) => {
    file.tags = { clonefrom: true };
  });
  expect((await run("reload", origin)).code).toBe(0);
  await until("the tag is shown", async () => {
    return (await run("status")).out.includes(`${origin}: tagged clonefrom`);
  });
  const { code, out, talk } = await run("reinit", other, "--confirm", other);
  expect(code, talk).toBe(0);
  expect(out).toContain(`${other}: streams again`);
  expect((await run("logs", other)).out).toContain(`"detail":"from ${origin}"`);
});
