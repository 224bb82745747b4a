// A pause is for work on agents and store: PostgreSQL goes on without either, and its end is safe.
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { healthOf, primariesIn, waitForPrimary } from "../../src/lab/health.ts";
import { measure } from "../../src/lab/measure.ts";
import { waitFor } from "../../src/lab/wait-until.ts";
import type { StatusJson } from "../../src/model/wire/status.ts";
import { expectSafe, heal, make, useLab } from "../support/lab.ts";

const LIMIT_MS = 60_000;
const TTL_SECONDS = 5;
const LONGER_THAN_THE_LEASE_MS = 1.4 * TTL_SECONDS * 1000;

describe("in a pause", () => {
  const lab = useLab("pause", { ttlSeconds: TTL_SECONDS });
  const all = async (verb: "kill-etcd" | "restart-etcd"): Promise<void> => {
    for (const { name } of lab().etcd) await make(lab(), verb, name);
  };
  const urlOf = (name: string): string =>
    lab().members.find((member) => member.name === name)?.apiUrl ?? "";
  const setPaused = async (name: string, paused: boolean): Promise<void> => {
    const answer = await fetch(`${urlOf(name)}/config`, {
      method: "PATCH",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ pause: paused }),
    });
    expect(answer.status).toBe(200);
  };
  const unguarded = async (name: string): Promise<string | undefined> => {
    const status = (await (await fetch(`${urlOf(name)}/understudy/status`)).json()) as StatusJson;
    return status.cluster.unguarded?.member;
  };
  const until = (what: string, isSo: () => Promise<boolean>): Promise<void> =>
    waitFor(what, isSo, { limitMs: LIMIT_MS });

  it("the primary outlives agent and store, and is guarded again before anybody else may lead", async () => {
    const { member } = await waitForPrimary(lab(), LIMIT_MS);
    const other = lab().members.find(({ name }) => name !== member.name)?.name ?? "";
    const measurement = await measure(lab(), {
      fault: async () => {
        await setPaused(other, true);
        await until(
          "the primary to be let go",
          async () => (await unguarded(other)) === member.name,
        );
        await make(lab(), "restart-agent", member.name, { awayMs: LONGER_THAN_THE_LEASE_MS });
        await all("kill-etcd");
        await sleep(LONGER_THAN_THE_LEASE_MS);
        // The new agent finds no store, and its server as it was.
        await until("the agent to say that its server is the primary", async () =>
          primariesIn(await healthOf(lab())).some((p) => p.member.name === member.name),
        );
        await all("restart-etcd");
        await until("the store to take the end of the pause", async () => {
          const paused = setPaused(other, false);
          return paused.then(
            () => true,
            () => false,
          );
        });
        await until(
          "the primary to be guarded",
          async () => (await unguarded(other)) === undefined,
        );
      },
      watchMs: 1_000,
      probe: true,
    });
    expectSafe(measurement);
    expect(measurement.after).toEqual(measurement.before);
    await make(lab(), "kill-node", member.name);
    await until("another one to lead", async () =>
      primariesIn(await healthOf(lab())).some((p) => p.member.name !== member.name),
    );
    await heal(lab());
  });
});
