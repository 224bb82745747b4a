// Does a cluster of Patroni's become one of ours under a write load, as the how-to page says, and does a node find back?
import { execFile } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stopOurs } from "../../src/lab/bench/take-over.ts";
import { healthOf, superuser, waitForHealthy } from "../../src/lab/health.ts";
import { Load } from "../../src/lab/load.ts";
import { startAgent } from "../../src/lab/nodes.ts";
import { bringUpPatroni, layOutPatroni, startPatroni, stopPatroni } from "../../src/lab/patroni.ts";
import type { LabMember, LabRecord } from "../../src/lab/record.ts";
import { Session } from "../../src/lab/session.ts";
import { parseLsn } from "../../src/model/lsn.ts";
import { until } from "../support/agent.ts";
import { labOptions, removeLab } from "../support/lab.ts";
import { commandsIn } from "../support/markdown.ts";

const execute = promisify(execFile);
const root = join(import.meta.dirname, "..", "..");
const LIMIT_MS = 90_000;
const page = readFileSync(join(root, "docs/howto/adopt-a-patroni-cluster.md"), "utf8");
/** The commands below one of the page's headings. */
const below = (heading: string): readonly string[] =>
  commandsIn(page.split(`\n## ${heading}\n`)[1]?.split("\n## ")[0] ?? "");

let lab: LabRecord;
let load: Load;
const memberOf = (name: string): LabMember => {
  const found = lab.members.find((m) => m.name === name);
  if (found === undefined) throw new Error(`there is no ${name}`);
  return found;
};

beforeAll(async () => {
  lab = await layOutPatroni(labOptions("adopt", { etcd: 1 }));
  await bringUpPatroni(lab);
  makeUnderstudy();
  load = await Load.start(lab);
}, 150_000);
afterAll(async () => {
  await load.stop();
  await removeLab(lab);
});

/** `understudy` in the PATH of the reader, as an installed package would bring it. */
function makeUnderstudy(): void {
  const folder = join(lab.dir, "path");
  mkdirSync(folder, { recursive: true });
  const words = `#!/bin/sh\nexec "${process.execPath}" "${root}/dist/cli.mjs" "$@"\n`;
  writeFileSync(join(folder, "understudy"), words);
  chmodSync(join(folder, "understudy"), 0o755);
}

/** The init system of a node: it starts and stops the two agents. */
const UNITS: Readonly<Record<string, (member: LabMember) => Promise<unknown>>> = {
  "systemctl disable --now patroni": stopPatroni,
  "systemctl enable --now patroni": startPatroni,
  "systemctl enable --now understudy": (member) => startAgent(lab, member),
  "systemctl disable --now understudy": (member) => stopOurs(lab, member),
};

/** Follows the page on one node; answers what the last command said. */
async function follow(heading: string, name: string, env: Record<string, string> = {}) {
  const member = memberOf(name);
  let said = "";
  for (const command of below(heading)) {
    const unit = UNITS[command];
    if (unit !== undefined) {
      await unit(member);
      continue;
    }
    // A member that has just begun is not settled at once: the page says to look again.
    await until(command, async () => {
      const done = await shell(command, member, env);
      said = done.text;
      return done.code === 0;
    });
  }
  return said;
}

async function shell(command: string, member: LabMember, env: Record<string, string>) {
  const options = {
    timeout: LIMIT_MS,
    env: {
      ...process.env,
      ...env,
      PATH: `${join(lab.dir, "path")}:${process.env["PATH"] ?? ""}`,
      UNDERSTUDY_CONFIG: member.configFile,
      PATRONICTL_CONFIG_FILE: member.configFile,
    },
  };
  try {
    const { stdout, stderr } = await execute("bash", ["-c", command], options);
    return { code: 0, text: stdout + stderr };
  } catch (error) {
    const failed = error as { code?: number; stdout?: string; stderr?: string };
    return { code: failed.code ?? 1, text: `${failed.stdout ?? ""}${failed.stderr ?? ""}` };
  }
}

async function firstRow(member: LabMember, sql: string): Promise<readonly unknown[]> {
  using session = await Session.open(member, superuser(lab));
  return (await session.query(sql)).rows[0] ?? [];
}

async function primary(): Promise<string | undefined> {
  return (await healthOf(lab)).find(({ role }) => role === "primary")?.member.name;
}

describe("the page", () => {
  it("begins with a check that finds nothing, and a plan", async () => {
    expect(await follow("Prepare every node", "n1")).toMatch(
      /4 steps; next: replace the agent of n2[^]*3 +switch over from n1 to n2[^]*4 +replace the agent of n1/,
    );
  });

  it("replaces the standbys while the primary goes on", async () => {
    for (const name of ["n2", "n3"]) {
      await follow("Each standby", name);
      await waitForHealthy(lab, LIMIT_MS);
    }
    expect(await primary()).toBe("n1");
    const { text } = await shell("understudy adopt check", memberOf("n1"), {});
    expect(text).toMatch(/next step may be done now: switch over from n1 to n2/);
    expect(text).toMatch(/n1 +leader, running, Patroni \d+\.\d+/);
    expect(text).toMatch(/n2 +standby, \w+, ours/);
  });

  it("a member of ours tells Patroni's where it is at this moment, not where it was at its last look", async () => {
    const n3 = memberOf("n3");
    const [row] = await firstRow(memberOf("n1"), "SELECT pg_current_wal_flush_lsn()::text");
    const end = String(row);
    await until("n3 has received that much", async () => {
      const [has] = await firstRow(n3, `SELECT pg_last_wal_receive_lsn() >= '${end}'::pg_lsn`);
      return has === true;
    });
    const answer = (await (await fetch(`${n3.apiUrl}/patroni`)).json()) as {
      xlog: { received_location: number };
    };
    expect(answer.xlog.received_location).toBeGreaterThanOrEqual(Number(parseLsn(end)));
  });

  it("switches over once, to the member that was named, and Patroni's agent follows it", async () => {
    const said = await follow("The switchover", "n1", { NEW: "n2", LEADER: memberOf("n1").dsn });
    expect(said).toContain('Successfully switched over to "n2"');
    await waitForHealthy(lab, LIMIT_MS);
    expect(await primary()).toBe("n2");
  });

  it("replaces the former leader", async () => {
    expect(await follow("The former leader", "n1")).toMatch(/n2/);
    await waitForHealthy(lab, LIMIT_MS);
    const { text } = await shell("understudy adopt plan", memberOf("n3"), {});
    expect(text).toContain("is adopted: every agent is ours");
  });

  it("finds back: a standby is Patroni's again, on the same data", async () => {
    await follow("The way back", "n3");
    await waitForHealthy(lab, LIMIT_MS);
    const { text } = await shell("understudy adopt check", memberOf("n1"), {});
    expect(text).toMatch(/n3 +standby, \w+, Patroni \d+\.\d+/);
  });

  it("and the leadership too: with words of ours, to one of Patroni's, which our members follow", async () => {
    const { code, text } = await shell("understudy switchover --to n3 --yes", memberOf("n1"), {});
    expect(code, text).toBe(0);
    await waitForHealthy(lab, LIMIT_MS);
    expect(await primary()).toBe("n3");
  });

  it("has lost no promised row", async () => {
    await load.stop();
    expect(load.ledger.acknowledged).toBeGreaterThan(0);
    expect(await load.check(LIMIT_MS)).toEqual([]);
  });
});
