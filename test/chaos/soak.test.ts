// A small part of what `npm run soak` does for hours: a fixed seed, a few faults of different kinds.
import { describe, expect, it } from "vitest";
import { brokenIn } from "../../src/lab/soak/report.ts";
import { soak } from "../../src/lab/soak/soak.ts";
import { isRoot, useLab } from "../support/lab.ts";

const SEED = 34;
/** Quick ones that differ: a server, a host, a network, the store, a person. */
const KINDS = [
  "killPostmaster",
  "silentHostDeath",
  "cutFromStore",
  "storeLeaderKill",
  "switchover",
];
const ROUNDS = 3;

describe("a short soak", () => {
  const net = isRoot ? "namespaces" : "loopback";
  const lab = useLab("soak", { net, ttlSeconds: 5 });

  it("breaks no promise, and the cluster is whole after each fault", async () => {
    const isOver = (rounds: number): boolean => rounds >= ROUNDS;
    const wish = { seed: SEED, mode: "off", only: KINDS, isOver } as const;
    const report = await soak(lab(), wish, () => undefined);
    expect([...brokenIn(report.rounds), ...report.brokenAtEnd]).toEqual([]);
    expect(report.rounds.map(({ refused }) => refused)).toEqual([undefined, undefined, undefined]);
    expect(report.rounds.every(({ acknowledged }) => acknowledged > 0)).toBe(true);
    // Only a lab with hosts of their own has all of the kinds; the seed then plays different ones.
    const kinds = new Set(report.rounds.map(({ kind }) => kind));
    expect(kinds.size).toBe(isRoot ? ROUNDS : kinds.size);
  });
});
