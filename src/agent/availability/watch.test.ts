// Is it told when clients begin to wait and when they do no longer, and not for each write of a way that comes and goes?
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { handClock } from "../../../test/support/node-view.ts";
import type { AvailabilitySettings } from "../../model/availability.ts";
import { DEFAULT_OBJECTIVE } from "../../model/budget.ts";
import { after } from "../../model/time.ts";
import { AvailabilityWatch, type ClientsOutage } from "./watch.ts";

const stateDir = mkdtempSync(join(tmpdir(), "availability-"));
afterAll(() => rmSync(stateDir, { recursive: true, force: true }));

const settings: AvailabilitySettings = {
  ...{ database: "app", table: "probe", username: "probe", password: undefined },
  ...{ everyMs: 1_000, slowMs: 1_000, objective: DEFAULT_OBJECTIVE },
  paths: [{ name: "direct", addresses: [] }],
};

const log = { error() {}, warn() {}, info() {}, debug() {} };

/** Node 20 has no Promise.withResolvers yet. */
function resolvers() {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

/** Each answer is one write: how long it took, and whether it was taken. Answers what was told of them. */
async function met(answers: readonly (readonly [tookMs: number, taken: boolean])[]) {
  const clock = handClock();
  const told: ClientsOutage[] = [];
  const rest = [...answers];
  const allGiven = resolvers();
  const proberOf = () => ({
    close() {},
    async write() {
      const next = rest.shift();
      if (next === undefined) {
        allGiven.resolve();
        await new Promise<never>(() => undefined);
        return;
      }
      const [tookMs, taken] = next;
      clock.at = after(clock.at, tookMs);
      if (!taken) throw new Error("nobody takes writes");
    },
  });
  const tell = (outage: ClientsOutage): void => void told.push(outage);
  const watch = new AvailabilityWatch({ settings, stateDir, clock, log, proberOf, tell });
  await watch.start();
  await allGiven.promise;
  await watch.stop();
  return told.map(({ from, to, why }) => [to === undefined ? "begins" : to - from, why]);
}

const TAKEN = [5, true] as const;
const REFUSED = [20, false] as const;

it("tells of an outage twice, with its reason and its length", async () => {
  expect(await met([TAKEN, REFUSED, REFUSED, TAKEN, TAKEN])).toEqual([
    ["begins", "nobody takes writes"],
    [2_005, undefined],
  ]);
});

it("tells of a write that was taken too late", async () => {
  expect(await met([TAKEN, [3_000, true], TAKEN])).toEqual([
    ["begins", undefined],
    [3_000, undefined],
  ]);
});

it("tells of a way that comes and goes no more than every ten seconds", async () => {
  const flapping = Array.from({ length: 30 }, () => [TAKEN, REFUSED]).flat();
  const seen = await met([...flapping, TAKEN]);
  expect(seen.length).toBeGreaterThanOrEqual(10);
  expect(seen.length).toBeLessThanOrEqual(14);
});
