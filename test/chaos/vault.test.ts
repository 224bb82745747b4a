// The archive stalls, its primary's host dies, and another one leads: is the WAL in the repository without a hole?
import { readdirSync, renameSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { callHttp } from "../../src/adapters/http/client.ts";
import { superuser, waitForHealthy, waitForPrimary } from "../../src/lab/health.ts";
import { repositoryDir } from "../../src/lab/node-file.ts";
import type { LabMember } from "../../src/lab/record.ts";
import { Session } from "../../src/lab/session.ts";
import { type Lsn, parseLsn, ZERO_LSN } from "../../src/model/lsn.ts";
import type { VaultJson } from "../../src/model/wire/vault.ts";
import { heal, make, useLab } from "../support/lab.ts";

const LIMIT_MS = 60_000;
/** An archiver that was refused tries again after a minute, or with the next segment. */
const RETRY_MS = 100_000;

describe("with repositories beside three nodes", () => {
  const lab = useLab("vault", { backup: true, etcd: 1 });

  const near = (): string => repositoryDir(lab(), "near");

  const vaultOf = async ({ clusterAddress, restPort }: LabMember): Promise<VaultJson> => {
    const url = `http://${clusterAddress}:${restPort}/understudy/backup/coverage`;
    const { body } = await callHttp({ method: "GET", url, timeoutMs: 5_000 });
    return JSON.parse(body) as VaultJson;
  };

  const sessionOn = (member: LabMember): Promise<Session> =>
    Session.open(member, { ...superuser(lab()), connectMs: LIMIT_MS, statementMs: LIMIT_MS });

  /** Writes a row, and says where the WAL is then. */
  async function write(member: LabMember): Promise<Lsn> {
    using session = await sessionOn(member);
    await session.query("INSERT INTO filled VALUES (-1)");
    return parseLsn(String(await session.value("SELECT pg_current_wal_flush_lsn()"))) ?? ZERO_LSN;
  }

  const shelfOf = async (member: LabMember) => (await vaultOf(member)).repositories[0];

  /** Writes a row and ends the segment, so often. */
  async function fillSegments(member: LabMember, count: number): Promise<void> {
    using session = await sessionOn(member);
    await session.query("CREATE TABLE IF NOT EXISTS filled (n int)");
    for (let n = 0; n < count; n++) {
      await session.query("INSERT INTO filled VALUES ($1)", [n]);
      await session.query("SELECT pg_switch_wal()");
    }
  }

  const stored = (): readonly string[] =>
    readdirSync(near(), { recursive: true, encoding: "utf8" })
      .map((path) => path.split("/").at(-1) ?? "")
      .filter((name) => /^[0-9A-F]{24}\.zst$/.test(name))
      .map((name) => name.slice(0, 24));

  it("what is in a segment that is not full is outside within moments, by a node that is not the primary", async () => {
    const { member } = await waitForPrimary(lab(), LIMIT_MS);
    await fillSegments(member, 1);
    const written = await write(member);
    const receivers = async (): Promise<readonly string[]> => {
      const all = await Promise.all(
        lab().members.map(async (m) => [m.name, await vaultOf(m)] as const),
      );
      return all
        .filter(([, { receiver }]) => (parseLsn(receiver.stored ?? "") ?? ZERO_LSN) >= written)
        .map(([name]) => name);
    };
    const others = async () => (await receivers()).filter((name) => name !== member.name);
    await expect.poll(others, { timeout: LIMIT_MS }).not.toEqual([]);
    // A receiver streams too, but it is no standby.
    expect((await waitForPrimary(lab(), LIMIT_MS)).streaming).toBe(2);
    await expect
      .poll(async () => parseLsn((await shelfOf(member))?.reach ?? ""), { timeout: LIMIT_MS })
      .toSatisfy((reach: Lsn | undefined) => reach !== undefined && reach >= written);
  });

  it("a stalled archive is told, and its WAL kept; after a failover nothing is missing", async () => {
    const { member } = await waitForPrimary(lab(), LIMIT_MS);
    await fillSegments(member, 2);
    await expect.poll(stored, { timeout: LIMIT_MS }).toContain("000000010000000000000004");

    // Nobody can reach the repository, and work goes on.
    const away = `${near()}.away`;
    renameSync(near(), away);
    await fillSegments(member, 3);
    await expect
      .poll(async () => (await vaultOf(member)).warnings.join("\n"), { timeout: LIMIT_MS })
      .toMatch(/the archive is behind: .* near: /);
    await fillSegments(member, 1);

    await make(lab(), "kill-node", member.name);
    const heir = (await waitForPrimary(lab(), LIMIT_MS)).member;
    expect(heir.name).not.toBe(member.name);
    renameSync(away, near());
    await fillSegments(heir, 1);

    await expect
      .poll(() => shelfOf(heir), { timeout: LIMIT_MS })
      .toMatchObject({ timeline: 2, gaps: [] });
    // Every segment is there as a whole one, while the host that wrote it is still dead.
    const firstMissing = (): number | undefined => {
      const names = stored();
      const numbers = (timeline: string): readonly number[] =>
        names
          .filter((name) => name.startsWith(timeline))
          .map((name) => Number.parseInt(name.slice(16), 16));
      const there = new Set([...numbers("00000001"), ...numbers("00000002")]);
      return Array.from({ length: Math.max(...numbers("00000002")) }, (_, i) => i + 1).find(
        (number) => !there.has(number),
      );
    };
    await expect.poll(firstMissing, { timeout: RETRY_MS }).toBeUndefined();

    await heal(lab());
    await waitForHealthy(lab(), LIMIT_MS);
    // Whoever comes back has nothing that the repository lacks, or would contradict.
    await expect
      .poll(async () => (await vaultOf(member)).warnings, { timeout: RETRY_MS })
      .toEqual([]);
  });
});
