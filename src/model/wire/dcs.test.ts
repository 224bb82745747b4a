import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ClusterStatus, FailoverIntent, HistoryRow, Hold } from "../cluster.ts";
import { lsn } from "../lsn.ts";
import type { Branch } from "../timeline.ts";
import {
  parseFailover,
  parseHistoryRows,
  parseHold,
  parseLineage,
  parseRoster,
  parseStatus,
  printFailover,
  printHistory,
  printHold,
  printLineage,
  printRoster,
  printStatus,
} from "./dcs.ts";
import { parseJson, printJson } from "./json.ts";
import { parseRfc3339, printRfc3339 } from "./rfc3339.ts";

const anyLsn = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(lsn);
const word = fc.string({ minLength: 1, maxLength: 20 });
const natural = fc.integer({ min: 1, max: 2 ** 31 });
const maybe = <T>(arb: fc.Arbitrary<T>) => fc.option(arb, { nil: undefined });
const name = fc.stringMatching(/^[a-z][a-z0-9_-]{0,12}$/);

const anyHold: fc.Arbitrary<Hold> = fc.record({
  holder: word,
  term: natural,
  seq: fc.nat(),
  holdMs: natural,
  released: maybe(fc.record({ heir: maybe(word), minLsn: maybe(anyLsn) })),
  modRevision: natural,
});

describe("hold", () => {
  it("reads what it wrote", () => {
    fc.assert(
      fc.property(anyHold, (hold) => {
        expect(parseHold(printHold(hold), hold.modRevision, 1)).toEqual(hold);
      }),
    );
  });

  it("has the term of its revision when it was written together with the leader key", () => {
    const text = printHold({ holder: "a", term: 0, seq: 0, holdMs: 8000, released: undefined });
    expect(text).toBe('{"holder":"a","term":0,"seq":0,"holdMs":8000}');
    expect(parseHold(text, 42, 1).term).toBe(42);
  });

  it("is never released when it cannot be read", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        const hold = parseHold(text, 7, 9000);
        expect(hold.released).toBeUndefined();
        expect(hold).toMatchObject({ holdMs: 9000, modRevision: 7 });
      }),
    );
  });
});

describe("what the leader writes", () => {
  it("reads back a status of any size", () => {
    const slots = fc.dictionary(name, anyLsn, { noNullPrototype: true });
    const minutes = fc.nat({ max: 10_000 }).map((n) => n * 60_000);
    const absentMs = fc.dictionary(name, minutes, { noNullPrototype: true });
    const position = maybe(anyLsn);
    const status: fc.Arbitrary<ClusterStatus> = fc.record({ position, slots, absentMs });
    fc.assert(
      fc.property(status, (given) => {
        expect(parseStatus(printStatus(given))).toEqual(given);
      }),
    );
  });

  it("reads the bare number that older agents wrote", () => {
    expect(parseStatus("1152921504606846977")).toMatchObject({ position: 2n ** 60n + 1n });
    expect(parseStatus(undefined)).toEqual({ position: undefined, slots: {}, absentMs: {} });
  });

  it("counts what a Patroni leader retained from now on", () => {
    expect(parseStatus('{"optime":1,"retain_slots":["n2"]}').absentMs).toEqual({ n2: 0 });
  });

  it("reads back history rows", () => {
    const row: fc.Arbitrary<HistoryRow> = fc.record({
      timeline: natural,
      lsn: anyLsn,
      reason: fc.string(),
      at: maybe(word),
      newLeader: maybe(word),
    });
    fc.assert(
      fc.property(fc.array(row), (rows) => {
        expect(parseHistoryRows(printHistory(rows))).toEqual(rows);
      }),
    );
  });

  it("reads back a lineage, and refuses one that is damaged anywhere", () => {
    const branch: fc.Arbitrary<Branch> = fc.record({
      timeline: natural,
      parent: fc.nat(),
      forkLsn: anyLsn,
      term: fc.nat(),
    });
    fc.assert(
      fc.property(fc.array(branch), (branches) => {
        expect(parseLineage(printLineage(branches))).toEqual(branches);
      }),
    );
    expect(parseLineage('[{"timeline":1,"parent":0,"forkLsn":"0/0","term":0},{}]')).toBeUndefined();
    expect(parseLineage("{}")).toBeUndefined();
  });
});

describe("what a person asks for", () => {
  it("is read back", () => {
    const intent: fc.Arbitrary<FailoverIntent> = fc
      .record({
        leader: maybe(word),
        candidate: maybe(word),
        scheduledAtMs: maybe(fc.integer({ min: 0, max: 4e12 })),
      })
      .filter((i) => i.leader !== undefined || i.candidate !== undefined)
      .map((i) => ({
        ...i,
        scheduledAt: i.scheduledAtMs === undefined ? undefined : printRfc3339(i.scheduledAtMs),
      }));
    fc.assert(
      fc.property(intent, (given) => {
        expect(parseFailover(printFailover(given))).toEqual(given);
      }),
    );
  });

  it("is nothing when the object is empty, and two names in the old form", () => {
    const now = { scheduledAt: undefined, scheduledAtMs: undefined };
    expect(parseFailover("{}")).toBeUndefined();
    expect(parseFailover("")).toBeUndefined();
    expect(parseFailover("a:b")).toEqual({ leader: "a", candidate: "b", ...now });
    expect(parseFailover(":b")).toEqual({ leader: undefined, candidate: "b", ...now });
  });

  it("does not become 'now' when the schedule cannot be read", () => {
    const read = parseFailover('{"leader":"a","scheduled_at":"tomorrow"}');
    expect(read?.scheduledAtMs).toBe(Number.MAX_SAFE_INTEGER);
  });
});

describe("JSON", () => {
  it("keeps whole numbers that a double would round", () => {
    expect(parseJson('{"a":9007199254740993,"b":"1 9007199254740993","c":12}')).toEqual({
      a: "9007199254740993",
      b: "1 9007199254740993",
      c: 12,
    });
    expect(printJson({ a: 9007199254740993n, b: undefined, c: [undefined, "x"] })).toBe(
      '{"a":9007199254740993,"c":[null,"x"]}',
    );
  });

  it("agrees with the language on everything else", () => {
    const small = fc.jsonValue({ noUnicodeString: false });
    fc.assert(
      fc.property(small, (value) => {
        expect(JSON.parse(printJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it("reads who may race, and nobody from what is no list", () => {
    const roster = { b: "http://b:8008", a: "https://a" };
    expect(printRoster(roster)).toBe('{"a":"https://a/patroni","b":"http://b:8008/patroni"}');
    expect(parseRoster(printRoster(roster))).toEqual(roster);
    expect(parseRoster('["a"]')).toBeUndefined();
    expect(parseRoster("{")).toBeUndefined();
  });
});

describe("dates", () => {
  it("agree with the language's own", () => {
    fc.assert(
      fc.property(
        fc.date({ noInvalidDate: true, min: new Date(0), max: new Date(4e12) }),
        (date) => {
          expect(parseRfc3339(date.toISOString())).toBe(date.getTime());
          expect(parseRfc3339(printRfc3339(date.getTime()))).toBe(date.getTime());
          expect(printRfc3339(date.getTime())).toBe(date.toISOString().replace("Z", "+00:00"));
        },
      ),
    );
  });

  it("need a zone and a day that exists", () => {
    expect(parseRfc3339("2026-11-05T12:00:00+02:00")).toBe(Date.UTC(2026, 10, 5, 10));
    expect(parseRfc3339("2026-11-05 12:00-0530")).toBe(Date.UTC(2026, 10, 5, 17, 30));
    expect(parseRfc3339("2026-11-05T12:00:00")).toBeUndefined();
    expect(parseRfc3339("2026-02-30T12:00:00Z")).toBeUndefined();
    expect(parseRfc3339("2026-13-01T12:00:00Z")).toBeUndefined();
    expect(parseRfc3339("soon")).toBeUndefined();
  });
});
