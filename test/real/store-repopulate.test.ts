// The store is lost: its members begin anew with nothing, and one command tells it about the cluster again (R31).
import { execFile, execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import {
  superuser,
  waitForAgreement,
  waitForHealthy,
  waitForPrimary,
} from "../../src/lab/health.ts";
import { serverAccount } from "../../src/lab/programs.ts";
import { openWritable } from "../../src/lab/writable.ts";
import { until } from "../support/agent.ts";
import { make, useLab } from "../support/lab.ts";

const execute = promisify(execFile);
const cli = join(import.meta.dirname, "..", "..", "dist", "cli.mjs");
const LIMIT_MS = 60_000;
const lab = useLab("refill", { ttlSeconds: 5 });

const repopulate = (node: string, ...words: readonly string[]) =>
  understudy(node, "store", "repopulate", ...words);

/** The command as a person types it on the host of this member. */
async function understudy(node: string, ...words: readonly string[]) {
  const file = lab().members.find(({ name }) => name === node)?.configFile ?? "";
  const args = [cli, "-c", file, ...words];
  try {
    const { stdout, stderr } = await execute(process.execPath, args, { timeout: LIMIT_MS });
    return { code: 0, out: stdout, talk: stderr };
  } catch (error) {
    const failed = error as { code?: number; stdout?: string; stderr?: string };
    return { code: failed.code ?? 1, out: failed.stdout ?? "", talk: failed.stderr ?? "" };
  }
}

/** What each member says that it is doing. */
const reasons = () =>
  Promise.all(
    lab().members.map(async ({ apiUrl }) => {
      const answer = await fetch(apiUrl).then((r) => r.json());
      return (answer as { understudy?: { because?: string } }).understudy?.because;
    }),
  );

async function everyEtcd(verb: "kill-etcd" | "restart-etcd"): Promise<void> {
  for (const { name } of lab().etcd) await make(lab(), verb, name);
}

async function loseTheStore(): Promise<void> {
  await everyEtcd("kill-etcd");
  for (const { dir } of lab().etcd) rmSync(join(dir, "data"), { recursive: true });
  await everyEtcd("restart-etcd");
}

const etcdctl = (...words: readonly string[]) =>
  execFileSync("etcdctl", words, { env: { ...process.env, ETCDCTL_API: "3" }, stdio: "pipe" });

/** Restored as root, read by the account that etcd runs under. */
function giveToServer(place: string): void {
  const account = serverAccount();
  if (account !== undefined) execFileSync("chown", ["-R", `${account.uid}:${account.gid}`, place]);
}

describe("a store that has lost everything", () => {
  it("is told about the cluster by the member that led last, and by no other", async () => {
    const { member } = await waitForPrimary(lab(), LIMIT_MS);
    const other = lab().members.find(({ name }) => name !== member.name)?.name ?? "";
    const { scope } = lab();
    using before = await openWritable(lab().members, superuser(lab()));
    await before.query("CREATE TABLE kept AS SELECT 1 AS row");
    expect(await repopulate(member.name, "--confirm", scope)).toMatchObject({ code: 6 });

    await loseTheStore();
    await until("everybody to see another store", async () =>
      (await reasons()).every((reason) => reason === "store_changed"),
    );
    const wrong = await repopulate(other, "--confirm", scope);
    expect(wrong).toMatchObject({ code: 6 });
    expect(wrong.talk).toContain(`${member.name} led last`);
    await until("the end of the last lease", async () => {
      const { code } = await repopulate(member.name, "--dry-run");
      return code === 0;
    });
    expect(await repopulate(member.name)).toMatchObject({ code: 7 });
    expect((await reasons()).includes("store_changed")).toBe(true);

    const told = await repopulate(member.name, "--confirm", scope);
    expect(told).toMatchObject({ code: 0 });
    await waitForHealthy(lab(), LIMIT_MS);
    using after = await openWritable(lab().members, superuser(lab()));
    expect(await after.value("SELECT count(*) FROM kept")).toBe("1");
    expect((await waitForPrimary(lab(), LIMIT_MS)).member.name).toBe(member.name);
    await waitForAgreement(lab(), LIMIT_MS);
  });
});

describe("a store that was restored from an older state", () => {
  it("knows nothing of the last leader, and is told by that one", async () => {
    const first = (await waitForPrimary(lab(), LIMIT_MS)).member.name;
    const snapshot = join(lab().dir, "store.snapshot");
    etcdctl("snapshot", "save", snapshot, "--endpoints", lab().etcd[0]?.clientUrl ?? "");
    const next = lab().members.find(({ name }) => name !== first)?.name ?? "";
    expect(await understudy(first, "switchover", "--to", next, "--yes")).toMatchObject({ code: 0 });
    await waitForAgreement(lab(), LIMIT_MS);
    using before = await openWritable(lab().members, superuser(lab()));
    await before.query("INSERT INTO kept VALUES (2)");

    await everyEtcd("kill-etcd");
    for (const { name, dir, peerUrl } of lab().etcd) {
      rmSync(join(dir, "data"), { recursive: true });
      const peers = lab()
        .etcd.map((e) => `${e.name}=${e.peerUrl}`)
        .join(",");
      const place = ["--name", name, "--data-dir", join(dir, "data")];
      const whole = ["--initial-cluster", peers, "--initial-cluster-token", lab().scope];
      const own = ["--initial-advertise-peer-urls", peerUrl];
      etcdctl("snapshot", "restore", snapshot, ...place, ...whole, ...own);
      giveToServer(join(dir, "data"));
    }
    await everyEtcd("restart-etcd");
    await until("everybody to see another store", async () =>
      (await reasons()).every((reason) => reason === "store_changed"),
    );

    const wrong = await repopulate(first, "--confirm", lab().scope);
    expect(wrong).toMatchObject({ code: 6 });
    expect(wrong.talk).toContain(`${next} led last`);
    await until("the end of the last lease", async () => {
      const { code } = await repopulate(next, "--dry-run");
      return code === 0;
    });
    expect(await repopulate(next, "--confirm", lab().scope)).toMatchObject({ code: 0 });
    await waitForHealthy(lab(), LIMIT_MS);
    expect((await waitForPrimary(lab(), LIMIT_MS)).member.name).toBe(next);
    using after = await openWritable(lab().members, superuser(lab()));
    expect(await after.value("SELECT count(*) FROM kept")).toBe("2");
    await waitForAgreement(lab(), LIMIT_MS);
  });
});
