// Three copies, two kinds, one off site: what each piece of evidence does to the verdict.
import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import type { BackupEvidence, Held, RepositoryEvidence, WalEvidence } from "./copy-evidence.ts";
import { type Evidence321, judge321, type ThreeTwoOne } from "./three-two-one.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NOW = 1_000 * DAY;
const MIB = 1024 * 1024;

const passed = (hoursAgo: number): NonNullable<BackupEvidence["verified"]> => ({
  atMs: NOW - hoursAgo * HOUR,
  depth: "content",
  outcome: "passed",
});

const backup = (id: string, more: Partial<BackupEvidence> = {}): BackupEvidence => ({
  id,
  begunAtMs: NOW - 2 * HOUR,
  verified: passed(1),
  ...more,
});

const read = (backups: readonly BackupEvidence[], wal: Partial<WalEvidence> = {}) => {
  const whole = backups.find(({ verified }) => verified?.outcome !== "failed");
  const evidence = {
    reach: "0/5000000",
    timeline: 2,
    isBroken: false,
    segmentBytes: 16 * MIB,
    ...wal,
  };
  return {
    kind: "read",
    backups,
    unreadable: [],
    ...(whole === undefined ? {} : { wal: { backup: whole.id, ...evidence } }),
  } as const;
};

const near: RepositoryEvidence = {
  name: "near",
  storage: "directory",
  offSite: false,
  place: "1:10",
  volume: "device 1",
  medium: "device 1",
  held: read([backup("b1")]),
};

const far: RepositoryEvidence = {
  name: "far",
  storage: "object-store",
  offSite: true,
  place: "amazon eu pg ",
  volume: "amazon eu pg",
  medium: "amazon",
  held: read([backup("b2")]),
};

const lost: Held = { kind: "unknown", why: "it did not answer" };

const evidence = (
  repositories: readonly RepositoryEvidence[],
  more: Partial<Evidence321> = {},
): Evidence321 => ({
  nowMs: NOW,
  oldAfterMs: 7 * DAY,
  position: "0/5800000",
  timeline: 2,
  live: { counts: "yes", why: "served by n1", volume: "device 0", medium: "device 0" },
  repositories,
  ...more,
});

const judge = (...repositories: readonly RepositoryEvidence[]): ThreeTwoOne =>
  judge321(evidence(repositories));

const digitsOf = ({ digits }: ThreeTwoOne) => digits.map(({ verdict }) => verdict);
const copyOf = ({ copies }: ThreeTwoOne, name: string) => copies.find((one) => one.name === name);

describe("the verdict", () => {
  it("passes with the live data, a directory and a bucket elsewhere, all read back", () => {
    const verdict = judge(near, far);
    expect(verdict).toMatchObject({ verdict: "pass", unproven: [] });
    expect(verdict.digits.map(({ found }) => found)).toEqual([3, 2, 1]);
    expect(verdict.digits.filter(({ next }) => next !== undefined)).toEqual([]);
  });

  it("says for each digit that fails why, and what to do", () => {
    const verdict = judge(near);
    expect(digitsOf(verdict)).toEqual(["fail", "fail", "fail"]);
    expect(verdict.digits).toMatchObject([
      { why: "only 2: live data, near", next: expect.stringContaining("another repository") },
      { why: "live data, near: all on directory", next: expect.stringContaining("object store") },
      {
        why: "no repository is said to be at another site",
        next: expect.stringContaining("off_site"),
      },
    ]);
  });

  it("is unknown, and neither of the others, while a repository that matters does not answer", () => {
    const verdict = judge(near, { ...far, held: lost });
    expect(digitsOf(verdict)).toEqual(["unknown", "unknown", "unknown"]);
    expect(verdict.digits[0]?.next).toBe("understudy backup repo list far");
    expect(copyOf(verdict, "far")?.why).toContain("it did not answer");
  });

  it("is unknown while no server answers for the live data", () => {
    const live = { counts: "unknown", why: "no server of it answers" } as const;
    expect(digitsOf(judge321(evidence([near, far], { live })))).toEqual([
      "unknown",
      "pass",
      "pass",
    ]);
  });
});

it("is unknown while nobody leads: what was written since may be anything", () => {
  const verdict = judge321(evidence([near, far], { position: undefined }));
  expect(digitsOf(verdict)).toEqual(["unknown", "unknown", "unknown"]);
  expect(verdict.digits[0]?.next).toBe("understudy status");
});

describe("a repository", () => {
  const countsWith = (held: Held) => copyOf(judge(near, { ...far, held }), "far");

  it.each<[string, Held, string]>([
    ["was never claimed", { kind: "unclaimed" }, "understudy backup repo init far"],
    [
      "is another cluster's",
      { kind: "foreign", why: "another" },
      "understudy backup repo list far",
    ],
    ["holds nothing", read([]), "understudy backup run --repo far"],
    [
      "holds damaged backups alone",
      read([backup("b", { verified: { ...passed(1), outcome: "failed" } })]),
      "understudy backup run --repo far",
    ],
    [
      "has a hole in its WAL",
      read([backup("b")], { isBroken: true }),
      "understudy backup run --repo far",
    ],
    [
      "is far behind",
      read([backup("b")], { reach: "0/100000" }),
      "understudy backup run --repo far",
    ],
    [
      "leads along a branch that was given up",
      read([backup("b")], { timeline: 1 }),
      "understudy backup run --repo far",
    ],
  ])("does not count when it %s", (_, held, next) => {
    // So far on that 0/100000 is more than 16 segments behind.
    const position = "0/20000000";
    const kept = { ...near, held: read([backup("b1")], { reach: position }) };
    const judged = judge321(evidence([kept, { ...far, held }], { position }));
    expect(copyOf(judged, "far")).toMatchObject({ counts: "no", next });
    expect(judged.verdict).toBe("fail");
  });

  it("counts by its newest backup that is not damaged, and names the damaged one", () => {
    const damaged = backup("b3", { verified: { ...passed(1), outcome: "failed" } });
    const copy = countsWith(read([damaged, backup("b2")]));
    expect(copy).toMatchObject({ counts: "yes", isProven: true, remarks: ["b3 is damaged"] });
    expect(copy?.why).toContain("b2");
  });

  it.each<[string, Partial<BackupEvidence>, string]>([
    ["never read back", {}, "never read back"],
    ["read back long ago", { verified: passed(200) }, "8d 8h ago"],
    ["read back without a key", { verified: { ...passed(1), depth: "stored" } }, "not unpacked"],
  ])("counts and is unproven when it was %s", (_, more, words) => {
    const { verified: _v, ...bare } = backup("b2");
    const verdict = judge(near, { ...far, held: read([{ ...bare, ...more }]) });
    expect(verdict).toMatchObject({ verdict: "pass", unproven: ["far"] });
    expect(copyOf(verdict, "far")?.remarks).toEqual([expect.stringContaining(words)]);
  });

  it("is proven by a drill alone, unproven by one that failed, and a drill gets old like a reading", () => {
    const { verified: _v, ...bare } = backup("b2");
    const drilled = (outcome: "passed" | "failed", hoursAgo: number, more: BackupEvidence = bare) =>
      countsWith(read([{ ...more, drilled: { id: "d1", atMs: NOW - hoursAgo * HOUR, outcome } }]));
    expect(drilled("passed", 1)).toMatchObject({ isProven: true, isRestored: true, remarks: [] });
    expect(drilled("failed", 1, { ...bare, verified: passed(1) })).toMatchObject({
      counts: "yes",
      isProven: false,
      remarks: ["its last drill failed: understudy drill show d1"],
    });
    const old = drilled("passed", 200);
    expect(old).toMatchObject({ isProven: false, remarks: ["it was never read back"] });
    expect(old).not.toHaveProperty("isRestored");
  });

  it("counts with an old backup whose WAL leads to today, and that is told", () => {
    const copy = countsWith(read([backup("b2", { begunAtMs: NOW - 30 * DAY })]));
    expect(copy).toMatchObject({ counts: "yes", remarks: ["its newest backup is 30d 0h old"] });
  });

  it("that is another name of the same place is no copy more", () => {
    const twin = { ...far, name: "twin", storage: "tape", offSite: true, place: near.place ?? "" };
    const verdict = judge(near, twin);
    expect(copyOf(verdict, "twin")).toMatchObject({
      counts: "no",
      why: "is the same place as near",
    });
    expect(verdict.verdict).toBe("fail");
  });
});

describe("where it lies", () => {
  const disk = { volume: "device 0", medium: "device 0" };

  it("wins over the word: one file system is one kind of storage, and here", () => {
    const lab = [
      { ...near, ...disk },
      { ...far, ...disk, place: "0:77" },
    ];
    const verdict = judge(...lab);
    expect(digitsOf(verdict)).toEqual(["pass", "fail", "fail"]);
    expect(verdict.digits[1]?.why).toContain("one file system");
    expect(verdict.digits[2]?.why).toBe(
      "far is said to be off site, but lies where live data does",
    );
  });

  it("leaves two folders of one bucket one place to lose", () => {
    const here = { ...far, name: "here", offSite: false, place: "amazon eu pg other" };
    expect(digitsOf(judge(here, far))).toEqual(["pass", "pass", "fail"]);
  });
});

const RANK = { fail: 0, unknown: 1, pass: 2 };

const helds = fc.constantFrom<Held>(
  { kind: "unclaimed" },
  { kind: "foreign", why: "another" },
  read([]),
  read([backup("b")]),
  read([backup("b")], { isBroken: true }),
  lost,
);
const repository = fc
  .record({
    storage: fc.constantFrom("directory", "tape", "object-store"),
    offSite: fc.boolean(),
    device: fc.integer({ min: 0, max: 3 }),
    inode: fc.integer({ min: 0, max: 5 }),
    held: helds,
  })
  .map(({ device, inode, ...more }) => {
    const volume = `device ${device}`;
    return { ...more, place: `${device}:${inode}`, volume, medium: volume };
  });
const several = fc
  .array(repository, { minLength: 1, maxLength: 5 })
  .map((list) => list.map((one, index) => ({ ...one, name: `r${index}` })));

test("a repository that does not answer lies between what it may hold and nothing", () => {
  fc.assert(
    fc.property(several, fc.nat(4), (list, pick) => {
      const at = pick % list.length;
      const withHeld = (held: Held) =>
        judge(...list.map((one, index) => (index === at ? { ...one, held } : one))).verdict;
      const best = withHeld(read([backup("b")]));
      const worst = withHeld({ kind: "unclaimed" });
      const open = withHeld(lost);
      expect(RANK[worst]).toBeLessThanOrEqual(RANK[open]);
      expect(RANK[open]).toBeLessThanOrEqual(RANK[best]);
    }),
  );
});

test("naming a place once more makes nothing better", () => {
  fc.assert(
    fc.property(several, fc.nat(4), fc.boolean(), (list, pick, offSite) => {
      const [first] = [list[pick % list.length] ?? near];
      const twin = { ...first, name: "twin", storage: "another word", offSite };
      expect(RANK[judge(...list, twin).verdict]).toBeLessThanOrEqual(RANK[judge(...list).verdict]);
    }),
  );
});
