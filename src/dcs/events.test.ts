import { describe, expect, it } from "vitest";
import { printHold } from "../model/wire/dcs.ts";
import { eventOf } from "./events.ts";
import { keysOf } from "./keys.ts";

const keys = keysOf("service", "demo");
const seen = (value: string | undefined) =>
  eventOf({ key: keys.hold, value, createRevision: 1, modRevision: 9 }, keys);
const hold = { holder: "n1", term: 5, seq: 2, holdMs: 8_000, released: undefined };

describe("a change of the hold", () => {
  it("is a renewal, or an end, when nothing was released", () => {
    const renewal = { kind: "hold", revision: 9, released: false, heir: undefined };
    expect(seen(printHold(hold))).toEqual(renewal);
    expect(seen(undefined)).toEqual(renewal);
    expect(seen("released")).toEqual(renewal);
  });

  it("is a release however the word is spelt", () => {
    const text = printHold({ ...hold, released: { heir: "n2", minLsn: undefined } });
    const release = { kind: "hold", revision: 9, released: true, heir: "n2" };
    expect(seen(text)).toEqual(release);
    expect(seen(text.replace("released", "\\u0072eleased"))).toEqual(release);
  });
});
