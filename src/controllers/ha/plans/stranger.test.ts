// After an agent of Patroni's: when may one of ours lead, and who is asked first? (R35)
import { describe, expect, it } from "vitest";
import {
  type Change,
  cluster,
  FORK,
  following,
  given,
  heldBy,
  justWon,
  LINEAGE,
  leaderless,
  memberIs,
  NOW,
  peerSays,
  remembering,
  TERM,
  withoutHold,
} from "../../../../test/support/world.ts";
import { known, unknown } from "../../../model/known.ts";
import { lsn } from "../../../model/lsn.ts";
import { FIRST_BRANCH, recognised } from "../../../model/timeline.ts";
import { decide } from "../decide.ts";
import { EMPTY_MEMORY } from "../world.ts";
import { digest } from "./memory.ts";
import { branchesOf, clusterOf } from "./standing.ts";
import { strangerToAsk } from "./stranger.ts";

const N1 = { name: "n1", host: "n1.example", port: 5432 };
const byPatroni: Change = memberIs("n1", { ours: undefined });
const strangerLed = remembering({ strangerLed: N1 });
const itSays =
  (writes: boolean): Change =>
  (w) => ({ ...w, stranger: known(writes, NOW) });
const itIsSilent: Change = (w) => ({ ...w, stranger: unknown("connection refused", NOW) });
const switchoverTo = (candidate: string): Change =>
  cluster(() => ({
    failover: {
      value: { leader: "n1", candidate, scheduledAt: undefined, scheduledAtMs: undefined },
      modRevision: 600,
    },
  }));

describe("who led last", () => {
  const ledBy = (...changes: readonly Change[]) =>
    digest(given(following(), ...changes)).strangerLed;

  it("is remembered with its server while it is none of ours", () => {
    const { host, port } = clusterOf(following())?.members.find((m) => m.name === "n1") ?? {};
    expect(ledBy()).toBeUndefined();
    expect(ledBy(byPatroni)).toEqual({ name: "n1", host, port });
  });

  it("is remembered when its keys have gone, and until one of ours leads", () => {
    expect(digest(given(leaderless(), strangerLed)).strangerLed).toEqual(N1);
    expect(digest(given(justWon(), strangerLed)).strangerLed).toEqual(N1);
    expect(ledBy(strangerLed, heldBy("n3", TERM + 1))).toBeUndefined();
  });

  it("is whom our standby streams from, for an agent that has seen nobody of ours lead yet", () => {
    const c = clusterOf(given(leaderless(), withoutHold));
    if (c === undefined) throw new Error("there is a store");
    const unlisted = { ...c, roster: { value: undefined, modRevision: 0 } };
    expect(strangerToAsk(unlisted, EMPTY_MEMORY, "10.0.0.9:5433")).toMatchObject({
      host: "10.0.0.9",
      port: 5433,
    });
    expect(strangerToAsk(c, EMPTY_MEMORY, "10.0.0.9:5433")).toBeUndefined();
  });
});

describe("the race after it", () => {
  it("begins when its key has gone: it keeps no hold that could be waited for", () => {
    const w = given(leaderless(), withoutHold, itIsSilent);
    expect(decide(w).because).toBe("race_waiting_for_hold");
    expect(decide(given(w, strangerLed)).step).toMatchObject({ kind: "acquire" });
  });

  it("does not begin while its key stands, however silent it is", () => {
    expect(decide(given(following(), byPatroni, withoutHold)).step?.kind).not.toBe("acquire");
  });

  it("waits, without end, while its server takes writes", () => {
    const longAgo = remembering({ strangerLed: N1, racingSince: NOW });
    const w = given(leaderless(), longAgo, itSays(true));
    expect(decide(w)).toMatchObject({
      because: "race_peer_is_primary",
      detail: "the server of n1 still takes writes",
    });
    expect(decide(given(w, itSays(false))).step).toMatchObject({ kind: "acquire" });
  });

  it("is judged again after winning: nothing is promoted beside that server", () => {
    const won = given(justWon(), strangerLed, itSays(true));
    expect(decide(won)).toMatchObject({ because: "lead_not_eligible" });
  });

  it("goes first to whom a person named to it, and to the best one if that cannot", () => {
    const w = given(leaderless(), strangerLed, itIsSilent, switchoverTo("n3"));
    expect(decide(given(w, peerSays("n3"))).because).toBe("race_waiting_for_candidate");
    expect(
      decide(given(w, peerSays("n3", { state: "stopped", position: undefined }))).step,
    ).toMatchObject({
      kind: "acquire",
    });
  });

  it("is not held up by one of Patroni's that has stopped and still calls itself demoted", () => {
    const says = (state: "stopped" | "stopping" | "running") =>
      peerSays("n1", { role: "demoted", state, position: undefined, lineage: [] });
    const w = given(leaderless(), strangerLed, itIsSilent);
    expect(decide(given(w, says("stopped"))).step).toMatchObject({ kind: "acquire" });
    expect(decide(given(w, says("running"))).because).toBe("race_peer_is_primary");
  });

  it("nor by one that has handed over while its server still archives; a member of ours that stops is waited for", () => {
    const stopping = peerSays("n1", { role: "demoted", state: "stopping", position: undefined });
    const w = given(leaderless(), itIsSilent, stopping);
    expect(decide(given(w, strangerLed)).step).toMatchObject({ kind: "acquire" });
    expect(decide(given(w, strangerLed, itSays(true))).because).toBe("race_peer_is_primary");
    expect(decide(w).because).toBe("race_peer_is_primary");
  });
});

describe("branches that Patroni's agents began", () => {
  const rows = [
    { timeline: 1, lsn: FORK, reason: "", at: undefined, newLeader: undefined },
    { timeline: 2, lsn: lsn(0x4800000), reason: "", at: undefined, newLeader: undefined },
  ];
  const c = clusterOf(
    given(
      following(),
      cluster(() => ({ history: { value: rows, modRevision: 700 } })),
    ),
  );
  if (c === undefined) throw new Error("there is a store");

  it("are known from the history, after those that we reserved", () => {
    expect(branchesOf(c).slice(0, 2)).toEqual(LINEAGE);
    expect(branchesOf(c)[2]).toMatchObject({ timeline: 3, parent: 2, forkLsn: lsn(0x4800000) });
    expect(branchesOf(c)[2]?.term).toBeLessThan(0);
  });

  it("and ours are recognised in data without a record of ours, by number and fork", () => {
    const bare = [FIRST_BRANCH, { timeline: 2, parent: 1, forkLsn: FORK, term: -7 }];
    expect(recognised(bare, branchesOf(c))).toEqual(LINEAGE);
    const elsewhere = [FIRST_BRANCH, { timeline: 2, parent: 1, forkLsn: lsn(1), term: -7 }];
    expect(recognised(elsewhere, branchesOf(c))).toEqual(elsewhere);
  });
});
