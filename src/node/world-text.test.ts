// Is a world that was read again the same, down to what is decided in it?
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  crashed,
  following,
  given,
  justWon,
  leaderless,
  leading,
} from "../../test/support/world.ts";
import { decide } from "../controllers/ha/decide.ts";
import type { HaWorld } from "../controllers/ha/world.ts";
import { parseWorld, printWorld } from "./world-text.ts";

describe("a world's text", () => {
  it("gives the same decision when it is read again", () => {
    for (const world of [
      leading(),
      following(),
      leaderless(),
      justWon(),
      given(leading(), crashed),
    ]) {
      const again = parseWorld(printWorld(world)) as HaWorld;
      expect(again).toEqual(world);
      expect(decide(again)).toEqual(decide(world));
    }
  });

  it("keeps large integers, infinity and bytes apart from texts that look like them", () => {
    const value = {
      position: 2n ** 63n,
      never: Number.POSITIVE_INFINITY,
      bytes: Uint8Array.from([0, 255]),
      text: "$big",
      list: [1n, -1n, "1"],
    };
    expect(parseWorld(printWorld(value))).toEqual(value);
  });

  it("loses nothing of any plain data", () => {
    const anyData = fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)) as unknown);
    fc.assert(
      fc.property(fc.record({ data: anyData, big: fc.bigInt() }), (value) => {
        expect(parseWorld(printWorld(value))).toEqual(value);
      }),
    );
  });
});
