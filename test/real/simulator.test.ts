// Does the simulator find on two cores what it finds on one? Threads need the program as it is shipped.
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { bundle } from "../support/pooler-stage.ts";

const dir = mkdtempSync(join(tmpdir(), "understudy-sim-"));
const program = join(dir, "sim.mjs");

beforeAll(() => bundle("scenarios/main.ts", program));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

interface Ended {
  readonly exit: number | string | null | undefined;
  readonly said: string;
}

const run = (...args: readonly string[]): Promise<Ended> =>
  new Promise((resolve) => {
    execFile(process.execPath, args, (error, said) => {
      resolve({ exit: error === null ? 0 : error.code, said });
    });
  });
const simulate = (...args: readonly string[]): Promise<Ended> => run(program, ...args);

/** Two shares of the seeds: one more than fit into the first. */
const SEEDS = ["--seeds", "21", "--from", "9100000"] as const;

test("two threads find what one finds", async () => {
  const [alone, together] = await Promise.all([
    simulate(...SEEDS, "--json"),
    simulate(...SEEDS, "--json", "--workers", "2"),
  ]);
  const found = ({ said }: Ended): Record<string, unknown> => ({
    ...(JSON.parse(said) as Record<string, unknown>),
    seconds: 0,
    cpuSeconds: 0,
  });
  expect(found(alone)).toMatchObject({ schedules: 21, failures: [] });
  expect(found(together)).toEqual(found(alone));
  expect([alone.exit, together.exit]).toEqual([0, 0]);
});

test("a thread in which the simulator itself breaks says how", async () => {
  const source = join(dir, "broken.ts");
  const broken = join(dir, "broken.mjs");
  const worker = join(import.meta.dirname, "../../src/sim/worker.ts");
  writeFileSync(
    source,
    `import { huntTogether, worksForOthers } from ${JSON.stringify(worker)};
    // As the program does: what a story leaves behind must not end it.
    process.on("unhandledRejection", () => undefined);
    const play = () => Promise.reject(new Error("a broken story"));
    if (!worksForOthers(play))
      huntTogether({ from: 1, seeds: 41, workers: 2, keepGoing: true })
        .catch((error) => console.log(error.message));`,
  );
  await bundle(source, broken);
  const { said } = await run(broken);
  expect(said).toBe("a broken story\n");
});

test.each([
  ["no workers", ["--workers", "0"]],
  ["workers that are no number", ["--workers", "two"]],
  ["less than no workers", ["--workers", "-1"]],
  ["an option that is not known", ["--wrokers", "2"]],
  ["several workers for one story", ["--scenario", "host-dies", "--workers", "2"]],
])("%s are not understood", async (_, args) => {
  const { exit, said } = await simulate(...args);
  expect(exit).toBe(2);
  expect(said).toContain("--workers N");
});
