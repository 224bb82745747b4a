// With `failover: ask`: who goes on, who waits, and what is said about it?
import { describe, expect, it } from "vitest";
import {
  config,
  crashed,
  END,
  given,
  heldBy,
  holdSilentFor,
  intent,
  justWon,
  leaderless,
  leading,
  NOW,
  outcome,
  peerSays,
  peerSilent,
  published,
  released,
  remembering,
  tags,
  withoutLeader,
} from "../../../../test/support/world.ts";
import { lsn } from "../../../model/lsn.ts";
import { after } from "../../../model/time.ts";
import { decide } from "../decide.ts";
import { judgement } from "./judgement.ts";

const ask = config({ asksBeforeFailover: true });
const scanned = outcome("find-crash-end", { result: { kind: "end", lsn: END } });

describe("after a death", () => {
  it("who could lead waits, and says what would be lost", () => {
    const verdict = decide(given(leaderless(), ask, published(lsn(END + 100n))));
    expect(verdict.because).toBe("race_asking");
    expect(verdict.step).toBeUndefined();
    expect(verdict.detail).toContain("n2 leads from 0/5000000, 100 bytes behind");
  });

  it("the one that a person named goes, and nobody else", () => {
    const late = remembering({ racingSince: after(NOW, -60_000) });
    expect(decide(given(leaderless(), ask, intent({ candidate: "n2" }))).because).toBe(
      "race_acquiring",
    );
    expect(decide(given(leaderless(), ask, late, intent({ candidate: "n3" }))).because).toBe(
      "race_asking",
    );
  });

  it("the heir of a leader that left in order goes, and so does the leader itself", () => {
    const heir = released({ heir: "n2", minLsn: END }, { ago: 100 });
    expect(decide(given(leaderless(), ask, heir)).because).toBe("race_acquiring");
    const own = given(leaderless(), ask, heldBy("n2", 200), withoutLeader, holdSilentFor(9_000));
    expect(decide(own).because).toBe("race_acquiring");
  });

  it("a crash is restarted in place, although a standby has every byte", () => {
    const down = remembering({ downSince: after(NOW, -50) });
    const w = given(leading(), ask, crashed, down, peerSays("n2"), scanned);
    expect(decide(w).because).toBe("crash_restarting");
  });

  it("a primary in trouble stays", () => {
    const often = remembering({ crashes: [after(NOW, -50_000), after(NOW, -10_000)] });
    expect(decide(given(leading(), ask, often, peerSays("n2"))).because).toBe("leading");
  });
});

describe("the judgement of a failover", () => {
  it("says of each member why it was chosen or not", () => {
    const w = given(leaderless(), peerSays("n3", { position: lsn(END - 16n) }), peerSilent("n1"));
    expect(judgement(w)).toMatch(
      /^n2 leads from 0\/5000000, 0 bytes behind the last known end; n1 does not answer .*; n3 has 16 bytes less \(0\/4FFFFF0\)$/,
    );
  });

  it.each([
    ["tagged nofailover", { tags: tags({ nofailover: true }) }],
    ["its disk is full", { unfit: "its disk is full" }],
    ["is as far (", {}],
    ["with a lower priority", { tags: tags({ failoverPriority: 0.5 }) }],
    ["has more of the WAL", { position: lsn(END + 1n) }],
    ["position is not settled", { position: undefined }],
  ])("such as: %s", (words, peer) => {
    expect(judgement(given(leaderless(), peerSays("n3", peer)))).toContain(words);
  });

  it("is remembered with the acquire, and becomes the reason in the history", () => {
    const raced = decide(given(leaderless()));
    expect(raced).toMatchObject({ because: "race_acquiring", memory: { chosen: raced.detail } });
    expect(decide(given(justWon(), remembering({ chosen: "why" }))).memory.chosen).toBe("why");
  });
});
