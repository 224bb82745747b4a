import { describe, expect, it } from "vitest";
import { STORIES } from "../../scenarios/all.ts";
import { REASONS, type Reason } from "../model/reason.ts";
import { complaint, ELSEWHERE, LONG_SWARM, missed } from "./reached.ts";

const ALL = Object.keys(REASONS) as Reason[];

describe("a long swarm", () => {
  it("has missed what it never gave and nobody declared", () => {
    const declared = Object.keys(ELSEWHERE)[0] as Reason;
    const reached = new Set<string>(ALL.filter((r) => r !== "leading" && r !== declared));
    expect(missed(reached, LONG_SWARM)).toEqual(["leading"]);
    expect(missed(new Set(ALL), LONG_SWARM)).toEqual([]);
    expect(complaint(["leading"], LONG_SWARM).split("\n")).toHaveLength(3);
  });

  it("is not judged before it is long", () => {
    expect(missed(new Set(), LONG_SWARM - 1)).toEqual([]);
  });
});

describe("a reason that a story must reach", () => {
  it("is one that its story asks for", () => {
    for (const [reason, { story }] of Object.entries(ELSEWHERE)) {
      if (story === undefined) continue;
      const found = STORIES.find((s) => s.name === story);
      expect(found?.expect.reasons ?? [], `${story} reaches ${reason}`).toContain(reason);
    }
  });

  it("stays the exception", () => {
    expect(Object.keys(ELSEWHERE).length).toBeLessThan(ALL.length / 5);
  });
});
