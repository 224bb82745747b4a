// When has a wish come true?
import { describe, expect, it } from "vitest";
import {
  asked,
  crashed,
  failed,
  following,
  given,
  NOW,
  outcome,
  startedAgo,
} from "../../test/support/world.ts";
import { after } from "../model/time.ts";
import { NO_REQUESTS, unfulfilled } from "./requests.ts";

const restart = { ...NO_REQUESTS, restart: { at: after(NOW, -1_000) } };
const reinitialise = { ...NO_REQUESTS, reinitialise: { at: after(NOW, -1_000) } };

describe("a restart", () => {
  it("is done once a server runs that was started after the wish", () => {
    expect(unfulfilled(restart, given(following(), startedAgo(999)))).toEqual(NO_REQUESTS);
    expect(unfulfilled(restart, given(following(), startedAgo(1_000)))).toEqual(restart);
    expect(unfulfilled(restart, given(following(), crashed))).toEqual(restart);
  });
});

describe("a new copy", () => {
  it("is done once one has been finished after the wish", () => {
    const copied = (agoMs: number) => given(following(), outcome("clone", { agoMs }));
    expect(unfulfilled(reinitialise, copied(999))).toEqual(NO_REQUESTS);
    expect(unfulfilled(reinitialise, copied(1_000))).toEqual(reinitialise);
    const broken = given(following(), failed("clone", "PG_CLONE_FAILED"));
    expect(unfulfilled(reinitialise, broken)).toEqual(reinitialise);
  });
});

describe("leaving", () => {
  it("is never taken back", () => {
    const stopping = { ...restart, stopping: "stop" } as const;
    const w = given(following(), startedAgo(1), asked({ stopping: "stop" }));
    expect(unfulfilled(stopping, w).stopping).toBe("stop");
  });
});
