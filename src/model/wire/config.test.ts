import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DEFAULT_CONFIG } from "../config.ts";
import { type ParsedConfig, parseConfig, patchConfig, printProblem } from "./config.ts";
import { parseDuration } from "./duration.ts";

const strict = (input: string | Record<string, unknown>) => parseConfig(input, { mode: "strict" });
const lenient = (input: string | Record<string, unknown>, allOurs = true) =>
  parseConfig(input, { mode: "lenient", allOurs });
function accepted(parsed: ParsedConfig) {
  if (parsed.kind === "refused") throw new Error(parsed.problems.map(printProblem).join("\n"));
  return parsed;
}
const paths = (parsed: ParsedConfig) =>
  parsed.kind === "refused" ? parsed.problems.map((p) => p.path) : [];

describe("a configuration", () => {
  it("is complete even when nothing is written", () => {
    expect(accepted(strict({}))).toEqual({ kind: "ok", config: DEFAULT_CONFIG, warnings: [] });
  });

  it.each([
    ["ask", true],
    ["automatic", false],
  ])("says with failover: %s whether people are asked", (failover, asks) => {
    expect(accepted(strict({ failover })).config.asksBeforeFailover).toBe(asks);
  });

  it("is refused with a failover that is neither", () => {
    for (const failover of ["manual", true, 1])
      expect(paths(strict({ failover }))).toEqual(["failover"]);
  });

  it("is read with all its fields, and keeps what it does not know", () => {
    const raw = {
      ttl: 30,
      loop_wait: 10,
      retry_timeout: 10,
      maximum_lag_on_failover: 0,
      check_timeline: false,
      pause: true,
      master_start_timeout: 60,
      primary_start_timeout: 120,
      member_slots_ttl: "30min",
      colour: "blue",
      postgresql: {
        use_pg_rewind: false,
        parameters: { max_connections: 200, hot_standby: true, shared_buffers: "1GB", x: null },
        pg_hba: ["host all all all md5"],
        bin_dir: "/x",
      },
    };
    const { config, warnings } = accepted(strict(raw));
    expect(config).toEqual({
      ...DEFAULT_CONFIG,
      ttlMs: 30_000,
      loopWaitMs: 10_000,
      retryTimeoutMs: 10_000,
      maximumLagOnFailover: 0,
      checkTimeline: false,
      paused: true,
      primaryStartTimeoutMs: 120_000,
      memberSlotsTtlMs: 1_800_000,
      usePgRewind: false,
      parameters: { max_connections: "200", hot_standby: "on", shared_buffers: "1GB" },
      pgHba: ["host all all all md5"],
      raw,
    });
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain("colour");
  });

  it("is refused as a whole, with each fault, when a value is of the wrong kind", () => {
    const wrong = {
      ttl: "often",
      pause: 7,
      maximum_lag_on_failover: -1,
      postgresql: { parameters: { a: [] }, pg_hba: "all" },
    };
    const faults = [
      "ttl",
      "maximum_lag_on_failover",
      "pause",
      "postgresql.parameters",
      "postgresql.pg_hba",
    ];
    expect(paths(strict(wrong))).toEqual(faults);
    expect(paths(lenient(wrong))).toEqual(faults);
    expect(paths(lenient("not json"))).toEqual([""]);
    expect(paths(lenient("[]"))).toEqual([""]);
    expect(paths(strict({ postgresql: 5 }))).toEqual(["postgresql"]);
  });
});

describe("timings", () => {
  it("that don't fit are refused in a change and bent when they are stored already", () => {
    const raw = { ttl: 20, loop_wait: 15, retry_timeout: 5 };
    expect(paths(strict(raw))).toEqual(["loop_wait"]);
    const { config, warnings } = accepted(lenient(raw));
    expect(config).toMatchObject({ ttlMs: 20_000, loopWaitMs: 10_000, retryTimeoutMs: 5000 });
    expect(warnings.join()).toContain("loop_wait");
  });

  it("of Patroni that have no effect here say so", () => {
    const { warnings } = accepted(strict({ primary_race_backoff: 30 }));
    expect(warnings).toEqual([expect.stringContaining("primary_race_backoff: has no effect")]);
    expect(accepted(strict({ primary_race_backoff: 0 })).warnings).toEqual([]);
  });

  it("that nobody wrote give way to the one that was written", () => {
    const { config, warnings } = accepted(strict({ ttl: 5 }));
    expect(config).toMatchObject({ ttlMs: 5000, loopWaitMs: 1000, retryTimeoutMs: 2000 });
    expect(warnings).toHaveLength(2);
  });

  it("have Patroni's floor as soon as one member is not ours", () => {
    const { config } = accepted(lenient({ ttl: 10, loop_wait: 2, retry_timeout: 1 }, false));
    expect(config).toMatchObject({ ttlMs: 20_000, loopWaitMs: 2000, retryTimeoutMs: 3000 });
    expect(accepted(lenient({ ttl: 3 })).config.ttlMs).toBe(5000);
    expect(paths(strict({ ttl: 3 }))).toEqual(["ttl"]);
  });

  it("always fit after bending", () => {
    const n = fc.integer({ min: 0, max: 120 });
    fc.assert(
      fc.property(n, n, n, fc.boolean(), (ttl, loop_wait, retry_timeout, allOurs) => {
        const { config } = accepted(lenient({ ttl, loop_wait, retry_timeout }, allOurs));
        expect(config.loopWaitMs + 2 * config.retryTimeoutMs).toBeLessThanOrEqual(config.ttlMs);
        expect(config.ttlMs).toBeGreaterThanOrEqual(allOurs ? 5000 : 20_000);
        expect(config.loopWaitMs).toBeGreaterThanOrEqual(1000);
        expect(config.retryTimeoutMs).toBeGreaterThanOrEqual(1000);
      }),
    );
  });
});

describe("slots", () => {
  const why = (raw: Record<string, unknown>): string => {
    const parsed = strict(raw);
    return parsed.kind === "refused" ? parsed.problems.map((p) => p.why).join() : "accepted";
  };

  it("are read in Patroni's form", () => {
    const { config } = accepted(
      strict({
        slots: {
          archiver: null,
          cdc: { type: "logical", database: "shop", plugin: "pgoutput" },
          far: { type: "physical", cluster_type: "standby" },
        },
        ignore_slots: [{ name: "mine" }, { type: "logical", plugin: "wal2json" }],
      }),
    );
    expect(config.permanentSlots).toEqual([
      { name: "archiver", logical: undefined, only: undefined },
      { name: "cdc", logical: { database: "shop", plugin: "pgoutput" }, only: undefined },
      { name: "far", logical: undefined, only: "standby" },
    ]);
    expect(config.ignoredSlots).toMatchObject([
      { name: "mine", kind: undefined },
      { kind: "logical", plugin: "wal2json" },
    ]);
  });

  it("that PostgreSQL would refuse are named at once, whoever asks", () => {
    expect(why({ slots: { "Bad-Name": {} } })).toMatch(/"Bad-Name" is not possible: .*lower-case/);
    expect(why({ slots: { ["x".repeat(64)]: {} } })).toMatch(/not possible/);
    expect(why({ slots: { cdc: { type: "logical", database: "shop" } } })).toMatch(/plugin/);
    expect(why({ slots: { cdc: { type: "logical", plugin: "pgoutput" } } })).toMatch(/database/);
    expect(why({ slots: { cdc: { type: "virtual" } } })).toMatch(/physical or logical/);
    expect(why({ slots: { cdc: { cluster_type: "both" } } })).toMatch(/primary or standby/);
    expect(why({ slots: ["cdc"] })).toMatch(/map of slots/);
    expect(lenient({ slots: { "Bad-Name": {} } }).kind).toBe("refused");
  });

  it("are never ignored all at once", () => {
    expect(why({ ignore_slots: [{}] })).toMatch(/fit every slot/);
    expect(why({ ignore_slots: { name: "x" } })).toMatch(/list of maps/);
    expect(why({ ignore_slots: [{ type: "virtual" }] })).toMatch(/physical or logical/);
  });
});

describe("durations", () => {
  it("are seconds, or a number with PostgreSQL's units", () => {
    expect([10, 2.5, "15", "30min", "500ms", "2 h", "1d"].map(parseDuration)).toEqual([
      10_000, 2500, 15_000, 1_800_000, 500, 7_200_000, 86_400_000,
    ]);
    for (const wrong of [-1, Number.NaN, "x", "", "5 weeks", true, null, [], {}]) {
      expect(parseDuration(wrong)).toBeUndefined();
    }
  });
});

describe("a patch", () => {
  it("merges objects, deletes by null and leaves the original alone", () => {
    const raw = { ttl: 10, postgresql: { parameters: { a: 1, b: 2 }, use_slots: true } };
    const before = structuredClone(raw);
    const patch = { ttl: null, pause: true, postgresql: { parameters: { a: null, c: 3 } } };
    expect(patchConfig(raw, patch)).toEqual({
      pause: true,
      postgresql: { parameters: { b: 2, c: 3 }, use_slots: true },
    });
    expect(raw).toEqual(before);
  });

  it("of nothing changes nothing, and done twice is done once", () => {
    const plain = fc.dictionary(fc.stringMatching(/^[a-c]$/), fc.jsonValue(), {
      noNullPrototype: true,
    });
    fc.assert(
      fc.property(plain, plain, (raw, patch) => {
        expect(patchConfig(raw, {})).toEqual(raw);
        const once = patchConfig(raw, patch);
        expect(patchConfig(once, patch)).toEqual(once);
      }),
    );
  });
});
