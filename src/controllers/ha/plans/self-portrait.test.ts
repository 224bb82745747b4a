// Does a member show itself as it is?
import { describe, expect, it } from "vitest";
import {
  accepting,
  asPrimary,
  crashed,
  END,
  following,
  given,
  jobOf,
  leading,
  ledByN2,
  memberIs,
  noData,
  orphaned,
  remembering,
  silentSql,
  stoppedInRecovery,
  TERM,
  unread,
  withLease,
} from "../../../../test/support/world.ts";
import { isPublished, roleOf, selfPortrait, stateOf } from "./self-portrait.ts";

describe("a role", () => {
  it.each([
    ["primary", given(leading())],
    ["demoted", given(leading(), ledByN2)],
    ["demoted", given(leading(), withLease(TERM, -1))],
    ["primary", given(leading(), unread)],
    ["demoted", given(leading(), withLease(TERM, -1), unread)],
    ["standby", given(following())],
    ["standby", given(leading(), crashed)],
    ["uninitialized", given(following(), noData("empty"))],
    ["uninitialized", given(following(), noData("marked"))],
  ])("is %s", (role, w) => {
    expect(roleOf(w)).toBe(role);
  });
});

const clone = {
  kind: "clone",
  from: { member: "n1", host: "n1", port: 5432, slot: undefined },
  lineage: [],
} as const;

describe("a state", () => {
  it.each([
    ["running", given(following())],
    ["starting", given(following(), accepting("starting"))],
    ["unknown", given(following(), accepting("hung"))],
    ["unknown", given(following(), silentSql)],
    ["stopped", given(following(), stoppedInRecovery)],
    ["crashed", given(following(), crashed)],
    ["start failed", given(following(), crashed, remembering({ startFailures: 1 }))],
    ["crashed", given(following(), orphaned)],
    ["cloning", given(following(), crashed, jobOf(clone))],
    ["initializing", given(following(), jobOf({ kind: "initialise", plan: leading().plan }))],
    ["stopping", given(leading(), jobOf({ kind: "stop", timeoutMs: 1, heirApiUrl: undefined }))],
  ])("is %s", (state, w) => {
    expect(stateOf(w)).toBe(state);
  });
});

describe("a portrait", () => {
  it("shows positions, timeline and reason", () => {
    expect(selfPortrait(given(following()), "following")).toMatchObject({
      name: "n2",
      apiUrl: "http://n2.example:8008",
      timeline: 2,
      position: END,
      replicationState: "streaming",
      because: "following",
    });
    const w = given(following(), asPrimary);
    expect(selfPortrait(w, "paused").replicationState).toBeUndefined();
  });

  it("is published until anything in it changes", () => {
    const me = selfPortrait(given(following()), "following");
    const w = given(following(), memberIs("n2", me));
    expect(isPublished(w, me)).toBe(true);
    expect(isPublished(w, { ...me, because: "paused" })).toBe(false);
    expect(isPublished(given(w, unread), me)).toBe(false);
  });
});
