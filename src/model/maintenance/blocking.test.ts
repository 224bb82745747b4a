// Does a status say what keeps clients waiting, and neither what is over at once nor what waits for rows all day long?
import { describe, expect, it } from "vitest";
import { blockingIn, blockingText } from "./blocking.ts";
import type { RunningFacts } from "./running.ts";

const running = (statement: string, change: Partial<RunningFacts> = {}): RunningFacts => ({
  pid: 7,
  database: "shop",
  user: "ann",
  application: "psql",
  state: "active",
  statement,
  forMs: 12_345.6,
  waits: false,
  blocked: 0,
  blockedMs: 0,
  ...change,
});

describe("maintenance in a status", () => {
  it("is told with who waits for it, and with nobody's statement", () => {
    const [one] = blockingIn([
      running("VACUUM FULL secrets", { blocked: 3, blockedMs: 8_000 }),
      running("SELECT 1"),
    ]);
    expect(one).toMatchObject({ what: "VACUUM FULL", forMs: 12_346, blocked: 3 });
    expect(JSON.stringify(one)).not.toMatch(/secrets|ann|shop/);
    expect(one && blockingText(one)).toBe("VACUUM FULL for 12 s, 3 wait");
  });

  it("is told before anybody waits", () => {
    const [one] = blockingIn([running("CREATE INDEX ON orders (id)")]);
    expect(one && blockingText(one)).toBe("CREATE INDEX for 12 s, nobody waits yet");
    expect(blockingIn([running("CREATE INDEX CONCURRENTLY ON orders (id)")])).toEqual([]);
  });

  it("is not told when it is over at once", () => {
    expect(blockingIn([running("VACUUM FULL small", { forMs: 40 })])).toEqual([]);
  });

  it.each(["UPDATE orders SET paid = true", ""])(
    "is not told of rows that are waited for: %s",
    (sql) => {
      const state = sql === "" ? "idle in transaction" : "active";
      const locked = running(sql, { state, blocked: 2, blockedMs: 300 });
      expect(blockingIn([locked])).toEqual([]);
      expect(blockingIn([{ ...locked, blockedMs: 5_000 }])).toHaveLength(1);
    },
  );
});
