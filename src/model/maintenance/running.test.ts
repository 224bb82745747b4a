// Is everything flagged that keeps clients waiting, and nothing that does not?
import { describe, expect, it } from "vitest";
import { budgetText, estimateOf } from "./estimate.ts";
import { judgeSql } from "./judge.ts";
import { flaggedIn, type RunningFacts } from "./running.ts";

const session = (statement: string, change: Partial<RunningFacts> = {}): RunningFacts => ({
  pid: 1,
  database: "app",
  user: "ann",
  application: "psql",
  state: "active",
  statement,
  forMs: 1_000,
  waits: false,
  blocked: 0,
  blockedMs: 0,
  ...change,
});

describe("what runs now", () => {
  it("is flagged when it blocks, even before anybody waits", () => {
    const [one] = flaggedIn([
      session("VACUUM FULL t"),
      session("CREATE INDEX CONCURRENTLY ON t (a)"),
    ]);
    expect(one?.judgement.what).toBe("VACUUM FULL");
    expect(flaggedIn([session("VACUUM t"), session("ALTER TABLE t ADD a int")])).toEqual([]);
  });

  it("is flagged when somebody waits for it, whatever it says", () => {
    const found = flaggedIn([
      session("SELECT 1", { blocked: 2, blockedMs: 900 }),
      session("COMMIT", { state: "idle in transaction", blocked: 3 }),
      session("ALTER TABLE t ADD a int", { blocked: 1, waits: true }),
    ]);
    expect(found.map(({ judgement }) => judgement.what)).toEqual([
      "a transaction that is left open",
      "a transaction with locks",
      "ADD COLUMN",
    ]);
  });
});

describe("the estimate", () => {
  const [full, index] = judgeSql("VACUUM FULL t; CREATE INDEX ON t (a)");
  const facts = {
    name: "t",
    kind: "table",
    tableBytes: 4 * 1024 ** 3,
    indexBytes: 1024 ** 3,
    users: 0,
    oldestMs: 0,
  } as const;

  it("is the bytes that are written or read, at a rate that it names", () => {
    expect(estimateOf(full!, facts)).toMatchObject({ ms: 102_400 });
    expect(estimateOf(index!, facts)).toMatchObject({ ms: 81_920 });
    expect(estimateOf(full!, facts)?.how).toContain("5.0 GB, at 50 MB a second");
  });

  it("is none where nobody waits, or nothing is known", () => {
    expect(estimateOf(judgeSql("VACUUM t")[0]!, facts)).toBeUndefined();
    expect(estimateOf(full!, undefined)).toBeUndefined();
  });

  it("is held against what is left of the budget", () => {
    const cost = { ms: 60_000, how: "" };
    expect(budgetText(cost, undefined)).toBeUndefined();
    expect(budgetText(cost, { budgetMs: 1, leftMs: 0 })).toContain("nothing is left");
    expect(budgetText(cost, { budgetMs: 1, leftMs: 30_000 })).toContain("more than the 30 s");
    expect(budgetText(cost, { budgetMs: 1, leftMs: 600_000 })).toContain("10 % of the 10m 0s");
  });
});
