import { describe, expect, it } from "vitest";
import { lsn } from "./lsn.ts";
import { lineageOfRemote } from "./site.ts";
import { type Branch, compareLineage, FIRST_BRANCH } from "./timeline.ts";

const AT = lsn(0x3000000);
const LATER = lsn(0x4000000);
const line = (timeline: number, endLsn = AT) => ({ timeline, endLsn, reason: "" });

describe("the branches of another site", () => {
  it("begin with the first timeline, which every cluster has", () => {
    expect(lineageOfRemote({ timeline: 1, history: [] }, [])).toEqual([FIRST_BRANCH]);
  });

  it("keep the terms of those that this cluster has begun", () => {
    const own: Branch = { timeline: 2, parent: 1, forkLsn: AT, term: 100 };
    const history = [line(1), line(2, LATER)];
    const [first, second, third] = lineageOfRemote({ timeline: 3, history }, [FIRST_BRANCH, own]);
    expect([first, second]).toEqual([FIRST_BRANCH, own]);
    expect(third).toMatchObject({ timeline: 3, parent: 2, forkLsn: LATER });
    expect(third?.term).toBeLessThan(0);
  });

  it("are two branches where they left their parents at two places, although of one number", () => {
    const mine = lineageOfRemote({ timeline: 2, history: [line(1)] }, []);
    const theirs = lineageOfRemote({ timeline: 2, history: [line(1, LATER)] }, []);
    expect(compareLineage(mine, LATER, mine)).toBe("same");
    expect(compareLineage(mine, LATER, theirs)).toBe("diverged");
  });
});
