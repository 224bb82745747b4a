// Is the verdict on two histories right, and the path through the reservations?
import { array, bigInt, assert as check, constantFrom, integer, property, tuple } from "fast-check";
import { describe, expect, it } from "vitest";
import { lsn } from "./lsn.ts";
import {
  type Branch,
  compareLineage,
  FIRST_BRANCH,
  headOf,
  historyFileName,
  type Lineage,
  parseHistory,
  pathTo,
} from "./timeline.ts";

/** A tree of reservations: every branch leaves an earlier one at some position and has a number of its own. */
const tree = array(tuple(integer({ min: 0, max: 7 }), bigInt(0n, 50n), constantFrom(10, 20, 30)), {
  maxLength: 7,
}).map((grown) => {
  const all: Branch[] = [FIRST_BRANCH];
  for (const [from, step, term] of grown) {
    const parent = all[from % all.length] ?? FIRST_BRANCH;
    const timeline = all.length + 1;
    all.push({ timeline, parent: parent.timeline, forkLsn: lsn(parent.forkLsn + step), term });
  }
  return all;
});

/** The same path by going down from the root and trying every child. */
function naivePath(all: Lineage, wanted: number, at: Branch = FIRST_BRANCH): Lineage | undefined {
  if (at.timeline === wanted) return [at];
  for (const child of all.filter((b) => b.parent === at.timeline && b.timeline !== at.timeline)) {
    const rest = naivePath(all, wanted, child);
    if (rest !== undefined) return [at, ...rest];
  }
  return undefined;
}

/** Which (timeline, term) wrote the byte at `position`, on this lineage; the naive view of a history. */
function writerOf(lineage: Lineage, position: bigint): string {
  let writer = "";
  for (const b of lineage) if (position >= b.forkLsn) writer = `${b.timeline}/${b.term}`;
  return writer;
}

describe("the path to a timeline", () => {
  it("is the one that a search from the root finds", () => {
    check(
      property(tree, integer({ min: 1, max: 9 }), (all, wanted) => {
        expect(pathTo(all, wanted)).toEqual(naivePath(all, wanted) ?? []);
      }),
    );
  });

  it("ends in a damaged record instead of going round", () => {
    const loop: Lineage = [
      { timeline: 2, parent: 3, forkLsn: lsn(1), term: 1 },
      { timeline: 3, parent: 2, forkLsn: lsn(1), term: 1 },
    ];
    expect(pathTo(loop, 3).length).toBeLessThanOrEqual(2);
    expect(pathTo([], 4)).toEqual([]);
  });
});

describe("the verdict on a lineage", () => {
  it("never lets follow who holds a byte that another branch wrote", () => {
    const two = integer({ min: 1, max: 8 });
    check(
      property(tree, two, two, bigInt(0n, 400n), (all, mine, theirs, beyond) => {
        const my = pathTo(all, mine);
        const their = pathTo(all, theirs);
        const head = headOf(my);
        if (head === undefined || headOf(their) === undefined) return;
        const end = lsn(head.forkLsn + beyond);
        const verdict = compareLineage(my, end, their);
        const shared = Array.from({ length: Number(end) }, (_, at) => BigInt(at)).every(
          (at) => writerOf(my, at) === writerOf(their, at),
        );
        if (verdict === "behind") expect(shared).toBe(true);
        if (verdict === "same") expect(head).toEqual(headOf(their));
      }),
    );
  });

  const B2: Branch = { timeline: 2, parent: 1, forkLsn: lsn(100), term: 10 };
  const theirs = [FIRST_BRANCH, B2];

  it("is about the end of my WAL and the fork, to the byte", () => {
    expect(compareLineage([FIRST_BRANCH], lsn(100), theirs)).toBe("behind");
    expect(compareLineage([FIRST_BRANCH], lsn(101), theirs)).toBe("diverged");
    expect(compareLineage(theirs, lsn(5_000), theirs)).toBe("same");
  });

  it("knows a branch by number and term (R19)", () => {
    const twin = [FIRST_BRANCH, { ...B2, term: 11 }];
    expect(compareLineage(twin, lsn(100), theirs)).toBe("diverged");
    const child = { timeline: 3, parent: 2, forkLsn: lsn(200), term: 12 };
    expect(compareLineage(twin, lsn(150), [...theirs, child])).toBe("diverged");
    expect(compareLineage(theirs, lsn(150), [...theirs, child])).toBe("behind");
  });

  it("is bad for who is ahead of them or has no record", () => {
    expect(compareLineage(theirs, lsn(100), [FIRST_BRANCH])).toBe("diverged");
    expect(compareLineage([], lsn(0), theirs)).toBe("diverged");
    expect(compareLineage(theirs, lsn(0), [])).toBe("diverged");
  });
});

describe("PostgreSQL's own words", () => {
  it("are read from a history file, whatever else stands in it", () => {
    const text = "# comment\n1\t0/3000148\tno recovery target specified\n\nx\n2\t1/0\n";
    expect(parseHistory(text)).toEqual([
      { timeline: 1, endLsn: lsn(0x3000148), reason: "no recovery target specified" },
      { timeline: 2, endLsn: lsn(0x100000000n), reason: "" },
    ]);
  });

  it("name its files in hexadecimal", () => {
    expect(historyFileName(26)).toBe("0000001A.history");
  });
});
