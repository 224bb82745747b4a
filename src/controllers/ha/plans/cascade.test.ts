// Does a standby below another one find somebody to stream from, whatever becomes of that one?
import { describe, expect, it } from "vitest";
import {
  cluster,
  following,
  given,
  memberIs,
  NOW,
  sql,
  tagged,
  tags,
} from "../../../../test/support/world.ts";
import { after, type Ms } from "../../../model/time.ts";
import type { HaWorld } from "../world.ts";
import { cascadeMemory, feedOf } from "./cascade.ts";
import { readyLeader } from "./standing.ts";

type Change = Parameters<typeof given>[1];

/** n2, below n3. */
const below = (...changes: Change[]): HaWorld =>
  given(following(), tagged({ replicatefrom: "n3" }), ...changes);
const feeder = (w: HaWorld): string | undefined => {
  const source = readyLeader(w);
  return source === undefined ? undefined : feedOf(w, source).member;
};
const learnt: Change = (w) => ({ ...w, memory: { ...w.memory, ...cascadeMemory(w) } });
const later =
  (ms: Ms): Change =>
  (w) => ({ ...w, now: after(w.now, ms) });
const n3 = (change: Parameters<typeof memberIs>[1]): Change => memberIs("n3", change);
const atN3 = sql({ upstream: "n3.example:5432" });

describe("the standby above feeds", () => {
  it("while it runs, streams and is on the leader's timeline", () => {
    expect(feeder(below())).toBe("n3");
    expect(feeder(below(n3({ state: "stopped" })))).toBe("n1");
    expect(feeder(below(n3({ timeline: 1 })))).toBe("n1");
    expect(feeder(below(n3({ replicationState: undefined })))).toBe("n1");
    const gone = cluster((c) => ({ members: c.members.filter((m) => m.name !== "n3") }));
    expect(feeder(below(gone))).toBe("n1");
  });

  it("through our own slot there", () => {
    const w = below();
    expect(feedOf(w, readyLeader(w)!)).toMatchObject({ host: "n3.example", slot: "n2" });
  });

  it("not when it leads itself, or is ourselves", () => {
    expect(feeder(below(tagged({ replicatefrom: "n1" })))).toBe("n1");
    expect(feeder(below(tagged({ replicatefrom: "n2" })))).toBe("n1");
  });
});

it("members that name each other in a circle stream from the leader", () => {
  expect(feeder(below(n3({ tags: tags({ replicatefrom: "n2" }) })))).toBe("n1");
  const elsewhere = n3({ tags: tags({ replicatefrom: "n3" }) });
  expect(feeder(below(elsewhere)), "a circle that we are not part of").toBe("n3");
});

describe("a standby above that feeds nobody", () => {
  const dry = [atN3, n3({ replicationState: undefined }), learnt];

  it("is not left at once, because a primary's death starves everybody", () => {
    expect(feeder(below(...dry, later(9_999), learnt))).toBe("n3");
  });

  it("is left after ten seconds, for a minute", () => {
    const starved = [...dry, later(10_000), learnt];
    expect(feeder(below(...starved))).toBe("n1");
    const silent = [atN3, sql({ walReceiver: undefined }), learnt, later(10_000), learnt];
    expect(feeder(below(...silent))).toBe("n1");
    const healed = n3({ replicationState: "streaming" });
    expect(feeder(below(...silent, healed, later(59_999)))).toBe("n1");
    expect(feeder(below(...silent, healed, later(60_000)))).toBe("n3");
  });

  it("is forgiven as soon as it feeds again before that", () => {
    expect(
      below(...dry, later(9_000), n3({ replicationState: "streaming" }), learnt).memory,
    ).toMatchObject({ unfedSince: undefined, cascadeAvoidUntil: undefined });
    expect(below(...dry).memory.unfedSince).toBe(NOW);
  });
});
