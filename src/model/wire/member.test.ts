import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { lsn } from "../lsn.ts";
import { bareMember, type Member } from "../member.ts";
import { DEFAULT_TAGS, type Tags } from "../settings.ts";
import { PUBLISHED_VERSION, parseMember, printMember } from "./member.ts";
import { stateNumber } from "./role.ts";

const maybe = <T>(arb: fc.Arbitrary<T>) => fc.option(arb, { nil: undefined });
const anyLsn = maybe(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(lsn));
const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,12}$/);
const host = fc.oneof(name, fc.constantFrom("10.1.2.3", "::1", "fd00::1:2"));
const custom = fc.dictionary(
  fc.stringMatching(/^x_[a-z]{1,8}$/),
  fc.oneof(fc.string(), fc.boolean(), fc.nat()),
  { noNullPrototype: true },
);

const tags: fc.Arbitrary<Tags> = fc
  .record({
    nofailover: fc.boolean(),
    noloadbalance: fc.boolean(),
    nosync: fc.boolean(),
    clonefrom: fc.boolean(),
    nostream: fc.boolean(),
    failoverPriority: fc.integer({ min: 1, max: 100 }),
    custom,
  })
  .chain((t) => maybe(name).map((from) => (from ? { ...t, replicatefrom: from } : t)));

const port = fc.integer({ min: 1, max: 65_535 });
const told: fc.Arbitrary<Partial<Member>> = fc.record(
  {
    database: fc.string({ minLength: 1 }).filter((d) => d !== "postgres"),
    proxyAddress: fc.record({ host, port }),
  },
  { requiredKeys: [] },
);

const plainMember: fc.Arbitrary<Member> = fc.record({
  name,
  host,
  port,
  apiUrl: host.map((h) => `https://${h.includes(":") ? `[${h}]` : h}:8008`),
  state: fc.constantFrom("initializing", "bootstrap failed", "cloning", "running", "unknown"),
  role: fc.constantFrom("primary", "standby", "demoted", "uninitialized"),
  version: fc.constantFrom("4.1.4", "3.3.0"),
  tags,
  timeline: maybe(fc.integer({ min: 1, max: 2 ** 31 })),
  position: anyLsn,
  receivedLsn: anyLsn,
  replayedLsn: anyLsn,
  replicationState: maybe(fc.constantFrom("streaming", "in archive recovery")),
  pendingRestart: fc.uniqueArray(
    fc.record({ parameter: name, oldValue: fc.string(), newValue: fc.string() }),
    { selector: (p) => p.parameter, maxLength: 3 },
  ),
  scheduledRestart: maybe(
    fc.record({
      at: fc.constant("2026-11-30T04:00:00+02:00"),
      atMs: fc.constant(Date.UTC(2026, 10, 30, 2)),
      role: maybe(fc.constantFrom("primary", "replica")),
      belowVersion: maybe(fc.constantFrom("15", "15.4")),
      onlyPending: fc.boolean(),
      timeoutMs: maybe(fc.integer({ min: 1, max: 1e6 })),
      serverStartedAt: fc.constant("2026-11-22 23:00:00.5+00"),
    }),
  ),
  paused: fc.boolean(),
  ours: fc.record({
    agent: name,
    hold: fc.boolean(),
    fence: fc.boolean(),
    heedsPause: fc.boolean(),
  }),
  because: maybe(name),
});

const member = fc.tuple(plainMember, told).map(([plain, more]): Member => ({ ...plain, ...more }));

describe("a member's key", () => {
  it("reads what it wrote", () => {
    fc.assert(
      fc.property(member, (m) => {
        expect(parseMember(m.name, printMember(m))).toEqual(m);
      }),
    );
  });

  it("looks to Patroni's readers like one of theirs", () => {
    const standby: Member = {
      ...bareMember("b", "10.0.0.2", 5432, "http://10.0.0.2:8008"),
      role: "standby",
      state: "running",
      tags: { ...DEFAULT_TAGS, nofailover: true },
      timeline: 2,
      receivedLsn: lsn(200),
      replayedLsn: lsn(100),
      replicationState: "streaming",
    };
    expect(JSON.parse(printMember(standby))).toEqual({
      conn_url: "postgres://10.0.0.2:5432/postgres",
      api_url: "http://10.0.0.2:8008/patroni",
      state: "running",
      role: "replica",
      version: PUBLISHED_VERSION,
      tags: { nofailover: true },
      xlog_location: 200,
      receive_lsn: 200,
      replay_lsn: 100,
      replication_state: "streaming",
      timeline: 2,
    });
  });

  it("names a pooler in front of the server, and another database than the usual one", () => {
    const text = printMember({
      ...bareMember("b", "10.0.0.2", 5432, "http://10.0.0.2:8008"),
      database: "my shop",
      proxyAddress: { host: "::1", port: 6432 },
    });
    expect(JSON.parse(text)).toMatchObject({
      conn_url: "postgres://10.0.0.2:5432/my%20shop",
      proxy_url: "postgres://[::1]:6432/my%20shop",
    });
  });

  it("is a stranger's unless it says otherwise", () => {
    const text =
      '{"conn_url":"postgres://u:p@h:1/x","api_url":"http://h:8008/patroni","role":"master",' +
      '"state":"creating replica","version":"3.0.2","xlog_location":9007199254740993,' +
      '"pending_restart":true,"tags":{"failover_priority":0,"nosync":"true"}}';
    expect(parseMember("p", text)).toMatchObject({
      host: "h",
      port: 1,
      apiUrl: "http://h:8008",
      role: "primary",
      state: "cloning",
      position: 2n ** 53n + 1n,
      ours: undefined,
      tags: { nofailover: true, nosync: true, failoverPriority: 0 },
    });
    expect(parseMember("p", text).pendingRestart).toHaveLength(1);
  });

  it("may have the oldest form, or none at all", () => {
    const old = "postgres://h:5433/postgres?application_name=http%3A%2F%2Fh%3A8008%2Fpatroni";
    expect(parseMember("o", old)).toEqual(bareMember("o", "h", 5433, "http://h:8008"));
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(parseMember("o", text).name).toBe("o");
      }),
    );
  });

  it("has a number for each state in the metric", () => {
    expect(stateNumber("running")).toBe(5);
    expect(stateNumber("bootstrap failed")).toBe(1);
    expect(stateNumber("unknown")).toBe(-1);
  });
});
