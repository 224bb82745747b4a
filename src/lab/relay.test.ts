import { describe, expect, it } from "vitest";
import { parseRoute, printRoute } from "./relay.ts";

describe("a route of the relay", () => {
  it("is read as it was printed", () => {
    const route = { port: 20_000, to: { host: "198.18.1.2", port: 5432 } };
    expect(parseRoute(printRoute(route))).toEqual(route);
  });

  it("is refused when it is none", () => {
    expect(() => parseRoute("20000=somewhere")).toThrow(RangeError);
  });
});
