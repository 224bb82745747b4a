import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { lsn } from "../lsn.ts";
import { DEFAULT_TAGS } from "../settings.ts";
import { parsePatroni } from "./rest.ts";
import { healthCheckOf, lagLimit } from "./rest-health.ts";

describe("an answer of Patroni's own agent", () => {
  it("is read with the largest position and without a lineage", () => {
    const text = JSON.stringify({
      state: "running",
      role: "replica",
      xlog: { received_location: 900, replayed_location: 1000, paused: false },
      timeline: 3,
      tags: { nofailover: true },
      watchdog_failed: true,
      patroni: { version: "4.1.4", scope: "s", name: "p1" },
    });
    expect(parsePatroni(text)).toEqual({
      name: "p1",
      role: "standby",
      state: "running",
      position: lsn(1000),
      timeline: 3,
      lineage: [],
      tags: { ...DEFAULT_TAGS, nofailover: true },
      watchdogFailed: true,
    });
  });

  it("of a version before 3.2 does not say its name, and is read all the same", () => {
    const text = '{"state":"running","role":"master","patroni":{"version":"3.0.2","scope":"s"}}';
    expect(parsePatroni(text)).toMatchObject({ name: "", role: "primary" });
  });

  it("without a position has none", () => {
    const text = '{"state":"stopped","role":"replica","patroni":{"name":"p1"}}';
    expect(parsePatroni(text)?.position).toBeUndefined();
  });

  it.each(["", "[]", "{}", "not json", '{"patroni":[]}'])("%j is none", (text) => {
    expect(parsePatroni(text)).toBeUndefined();
  });
});

it("never stumbles over an answer, whatever it is", () => {
  const isAnswer = fc.property(fc.json(), (text) => {
    expect(() => parsePatroni(text)).not.toThrow();
  });
  fc.assert(isAnswer);
});

it.each([
  ["/standby-leader", "standby-leader"],
  ["/standby_leader?x", "standby-leader"],
  ["/leader", "leader"],
  ["/master", "primary"],
  ["/", "primary"],
  ["/read-only", "read-only"],
  ["/read-only-sync", "read-only-sync"],
  ["/health", "running"],
  ["/replica", "standby"],
  ["/async", "async"],
  ["/foo", "none"],
])("%s asks for %s", (path, check) => expect(healthCheckOf(path)).toBe(check));

it.each([
  ["100", 100],
  ["1kB", 1024],
  ["16MB", 16 * 1024 ** 2],
  ["2 GB", 2 * 1024 ** 3],
  ["1.5MB", undefined],
  ["", undefined],
  [null, undefined],
])("a lag of %j is %j bytes", (text, bytes) => expect(lagLimit(text)).toBe(bytes));
