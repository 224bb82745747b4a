// Is the list of who may race always at least as long as what the store could hold?
import { describe, expect, it } from "vitest";
import {
  anotherStore,
  cluster,
  given,
  heldBy,
  holdSilentFor,
  leaderless,
  leading,
  listed,
  memberIs,
  NOW,
  peerSays,
  ROSTER,
  TERM,
  tags,
  unread,
  withLease,
} from "../../../../test/support/world.ts";
import { after } from "../../../model/time.ts";
import { decide } from "../decide.ts";
import { EMPTY_MEMORY, type HaWorld } from "../world.ts";
import { heirs, whyNot } from "./candidates.ts";
import { possibleRivals } from "./roster.ts";

const without = (name: string) =>
  cluster((c) => ({ members: c.members.filter((m) => m.name !== name) }));
const noList = cluster(() => ({ roster: { value: undefined, modRevision: 0 } }));
const remembers =
  (roster: Partial<HaWorld["memory"]["roster"]>) =>
  (w: HaWorld): HaWorld => ({
    ...w,
    memory: { ...w.memory, roster: { ...w.memory.roster, ...roster } },
  });
const writes = (w: HaWorld) => decide(w).upkeep.filter((u) => u.kind === "write-roster");
const later = (ms: number) => (w: HaWorld) =>
  withLease(TERM, ms + 5_000)({ ...w, now: after(NOW, ms) });

describe("the list", () => {
  it("is left alone while it is right", () => {
    expect(writes(leading())).toEqual([]);
  });

  it("is written by a new leader, and once in every life of its agent", () => {
    const write = { kind: "write-roster", term: TERM, roster: ROSTER };
    expect(writes(given(leading(), noList))).toEqual([{ ...write, revision: 0 }]);
    const reborn = given(leading(), (w) => ({ ...w, memory: EMPTY_MEMORY }));
    expect(writes(reborn)).toEqual([{ ...write, revision: 300 }]);
  });

  it("keeps a member that is away for a ttl, and no longer", () => {
    const away = given(leading(), without("n3"));
    const { memory } = decide(away);
    expect(writes(away)).toEqual([]);
    const after10 = given(away, (w) => ({ ...w, memory }), later(10_000));
    expect(writes(after10)).toEqual([]);
    const { n3: _, ...rest } = ROSTER;
    expect(writes(given(after10, later(10_001)))).toMatchObject([{ roster: rest, revision: 300 }]);
  });

  it("takes in who comes, and drops who must not lead", () => {
    expect(writes(given(leading(), listed("n1", "n2")))).toMatchObject([{ roster: ROSTER }]);
    const unable = given(leading(), memberIs("n3", { tags: tags({ nofailover: true }) }));
    expect(Object.keys(writes(unable)[0]?.roster ?? {})).toEqual(["n1", "n2"]);
  });
});

describe("possible rivals", () => {
  const rivalsAfter = (w: HaWorld) =>
    Object.keys(possibleRivals("n1", decide(w).memory.roster) ?? { nobody: "knows" });

  it("are everybody else in the list, also while the store is away", () => {
    expect(rivalsAfter(leading())).toEqual(["n2", "n3"]);
    expect(rivalsAfter(given(leading(), unread))).toEqual(["n2", "n3"]);
  });

  it("include those of a list that has been sent and may still land", () => {
    expect(rivalsAfter(given(leading(), listed("n1", "n2")))).toEqual(["n2", "n3"]);
    const lost = given(leading(), remembers({ sent: { n4: "http://n4" } }));
    expect(rivalsAfter(lost)).toEqual(["n4", "n2", "n3"]);
    expect(rivalsAfter(given(lost, unread))).toEqual(["n4", "n2", "n3"]);
  });

  it("forget that list once the store has moved on: it compares the revision before it", () => {
    const moved = given(
      leading(),
      remembers({ sent: { n4: "http://n4" } }),
      listed("n1", "n2", "n3"),
    );
    expect(rivalsAfter(moved)).toEqual(["n2", "n3"]);
  });

  it("are not known while another store stands in the place of ours, nor after it falls silent", () => {
    const strange = decide(given(leading(), anotherStore)).memory;
    expect(rivalsAfter(given(leading(), anotherStore))).toEqual(["nobody"]);
    const silent = given(leading(), unread, (w) => ({ ...w, memory: strange }));
    expect(rivalsAfter(silent)).toEqual(["nobody"]);
    expect(rivalsAfter(given(leading(), (w) => ({ ...w, memory: strange })))).toEqual(["n2", "n3"]);
  });

  it("are not known before this life has written the list: an earlier one's may land", () => {
    expect(rivalsAfter(given(leading(), remembers({ isOwn: false }), unread))).toEqual(["nobody"]);
    expect(rivalsAfter(given(leading(), noList))).toEqual(["nobody"]);
  });
});

describe("who is not in the list", () => {
  it("neither races nor removes a silent holder's key, even when it is named", () => {
    const away = given(leaderless(), listed("n1", "n3"));
    expect(decide(away).because).toBe("race_not_listed");
    const stale = given(away, heldBy("n1", TERM), holdSilentFor(20_000));
    expect(decide(stale)).toMatchObject({ because: "race_not_listed" });
    expect(decide(stale).step).toBeUndefined();
  });

  it("is no heir", () => {
    const w = given(leading(), listed("n1", "n2"), peerSays("n2"), peerSays("n3"));
    expect(heirs(w).map((h) => h.member.name)).toEqual(["n2"]);
    expect(whyNot(w, "n3")).toContain("list");
  });
});
