// Whose data is copied, and what makes room for a copy that a person asked for?
import { describe, expect, it } from "vitest";
import {
  asked,
  failed,
  following,
  given,
  jobOf,
  memberIs,
  NOW,
  noData,
  tags,
  withLease,
} from "../../../../test/support/world.ts";
import { after } from "../../../model/time.ts";
import { decide } from "../decide.ts";
import type { HaWorld } from "../world.ts";

const offers = memberIs("n3", { tags: tags({ clonefrom: true }) });
const empty = (...changes: readonly ((w: HaWorld) => HaWorld)[]) =>
  changes.reduce((w, change) => change(w), given(following(), noData("empty")));
const source = (w: HaWorld) => {
  const { step } = decide(w);
  return step?.kind === "clone" ? step.from.member : undefined;
};

describe("a copy", () => {
  it("is made from the leader, or from a standby that offers itself", () => {
    expect(source(empty())).toBe("n1");
    expect(source(empty(offers))).toBe("n3");
  });

  it("is not made from a standby that may have another history", () => {
    const away = memberIs("n3", { tags: tags({ clonefrom: true }), replicationState: undefined });
    const behind = memberIs("n3", { tags: tags({ clonefrom: true }), timeline: 1 });
    expect([source(empty(away)), source(empty(behind))]).toEqual(["n1", "n1"]);
  });

  it("is made from the leader after one that failed, or when that was asked for", () => {
    const hasFailed = failed("clone", "PG_CLONE_FAILED", 60_000);
    expect(source(empty(offers, hasFailed))).toBe("n1");
    const wish = asked({ reinitialise: { at: NOW, fromLeader: true } });
    expect(source(empty(offers, wish))).toBe("n1");
  });
});

describe("a long step", () => {
  const clone = jobOf({
    kind: "clone",
    from: { host: "n1.example", port: 5432, member: "n1", slot: undefined },
    lineage: [],
  });
  const wish = (cancelsRunning: boolean, at = NOW) =>
    asked({ reinitialise: { at, cancelsRunning } });

  it("is given up for a new copy only when that was said", () => {
    expect(decide(given(following(), clone, wish(true)))).toMatchObject({ cancelJob: true });
    expect(decide(given(following(), clone, wish(false))).cancelJob).toBeUndefined();
  });

  it("is not given up if it began after the wish, nor under a lease", () => {
    const began = wish(true, after(NOW, -5_000));
    expect(decide(given(following(), clone, began)).cancelJob).toBeUndefined();
    const leads = given(following(), clone, wish(true), withLease(200));
    expect(decide(leads).cancelJob).toBeUndefined();
  });
});
