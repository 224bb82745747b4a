// Synchronous modes on real servers: who may follow a primary that is gone, and what happens to commits that nobody hears.
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { healthOf, primariesIn, superuser, waitForPrimary } from "../../src/lab/health.ts";
import { LOAD_DATABASE } from "../../src/lab/load.ts";
import { measure } from "../../src/lab/measure.ts";
import type { LabMember } from "../../src/lab/record.ts";
import { Session } from "../../src/lab/session.ts";
import { waitForSync } from "../../src/lab/sync-standbys.ts";
import { waitFor } from "../../src/lab/wait-until.ts";
import { expectSafe, heal, make, useLab } from "../support/lab.ts";

const LIMIT_MS = 90_000;
const TTL_SECONDS = 5;

describe("with synchronous_mode on, strictly", () => {
  const lab = useLab("sync", {
    ttlSeconds: TTL_SECONDS,
    set: { synchronous_mode: "on", synchronous_mode_strict: "true" },
  });

  it("the synchronous standby takes over from a dead host, and nothing is lost", async () => {
    const [heir] = await waitForSync(lab(), LIMIT_MS);
    const { member } = await waitForPrimary(lab(), LIMIT_MS);
    const measurement = await measure(lab(), {
      fault: () => make(lab(), "kill-node", member.name),
      watchMs: 2_000,
      probe: true,
    });
    expectSafe(measurement);
    expect(measurement.after.primary).toBe(heir);
    await heal(lab());
  });

  it("without a standby no commit is promised: one waits for the way back, one is cancelled", async () => {
    await waitForSync(lab(), LIMIT_MS);
    const { member } = await waitForPrimary(lab(), LIMIT_MS);
    const standbys = lab().members.filter(({ name }) => name !== member.name);
    const measurement = await measure(lab(), {
      fault: async () => {
        for (const { name } of standbys) await make(lab(), "kill-node", name);
        const [patient, cancelled] = [await commit(member, 1), await commit(member, 2)];
        await waitFor("two commits to wait", () => wait(member, [patient, cancelled]), {
          limitMs: LIMIT_MS,
        });
        using session = await Session.open(member, superuser(lab()));
        await session.query("SELECT pg_cancel_backend($1)", [cancelled.pid]);
        // PostgreSQL answers it after all, with the warning that nobody promises it (R34).
        expect((await cancelled.answer).warned).toBe(true);
        expect(await wait(member, [patient])).toBe(true);
        await heal(lab());
        expect((await patient.answer).warned).toBe(false);
        for (const { session: own } of [patient, cancelled]) own.close();
      },
      watchMs: 0,
    });
    expectSafe(measurement);
    expect(measurement.after).toEqual(measurement.before);
  });

  /** A commit of an application, under way, in a session of its own. */
  async function commit(member: LabMember, n: number) {
    const login = { ...superuser(lab()), database: LOAD_DATABASE, statementMs: LIMIT_MS };
    const session = await Session.open(member, login);
    const pid = Number(await session.value("SELECT pg_backend_pid()"));
    const text = "INSERT INTO promises (run, worker, sequence) VALUES ($1, 0, 1)";
    return { pid, session, answer: session.query(text, [`commit ${n} of ${pid}`]) };
  }

  /** Are all of them waiting for a standby? */
  async function wait(member: LabMember, commits: readonly { readonly pid: number }[]) {
    using session = await Session.open(member, superuser(lab()));
    const waiting = await session.value(
      "SELECT count(*)::int FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND pid = ANY ($1)",
      [commits.map(({ pid }) => pid)],
    );
    return Number(waiting) === commits.length;
  }
});

describe("with synchronous_mode quorum", () => {
  const lab = useLab("quorum", {
    ttlSeconds: TTL_SECONDS,
    set: { synchronous_mode: "quorum" },
  });

  it("another one takes over from a dead host with the vote of the third, and nothing is lost", async () => {
    await waitForSync(lab(), LIMIT_MS, 2);
    const { member } = await waitForPrimary(lab(), LIMIT_MS);
    const measurement = await measure(lab(), {
      fault: () => make(lab(), "kill-node", member.name),
      watchMs: 2_000,
      probe: true,
    });
    expectSafe(measurement);
    expect(measurement.after.primary).not.toBe(member.name);
    await heal(lab());
  });

  it("who is left of three says that a vote is missing, and leads when one is back", async () => {
    await waitForSync(lab(), LIMIT_MS, 2);
    const { member } = await waitForPrimary(lab(), LIMIT_MS);
    const [dies, left] = lab().members.filter(({ name }) => name !== member.name);
    if (dies === undefined || left === undefined) throw new Error("the lab has three members");
    const measurement = await measure(lab(), {
      fault: async () => {
        const before = logOf(left).length;
        await Promise.all([member, dies].map(({ name }) => make(lab(), "kill-node", name)));
        const isSaid = (): boolean => logOf(left).slice(before).includes("race_no_quorum");
        await waitFor("the reason why nobody leads", isSaid, { limitMs: LIMIT_MS });
        expect(primariesIn(await healthOf(lab()))).toEqual([]);
        await make(lab(), "start-node", dies.name);
        await waitForPrimary(lab(), LIMIT_MS);
      },
      watchMs: 0,
      probe: true,
    });
    expectSafe(measurement);
    expect(measurement.after.primary).not.toBe(member.name);
    await heal(lab());
  });

  const logOf = ({ log }: LabMember): string => readFileSync(log, "utf8");
});
