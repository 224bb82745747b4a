// What does a pause hold back, and what not?
import { describe, expect, it } from "vitest";
import {
  askedToRestart,
  config,
  crashed,
  END,
  following,
  given,
  intent,
  leaderless,
  leading,
  NOW,
  orphaned,
  paused,
  peerSays,
  peerSilent,
  released,
  stoppedAt,
  WALL_MS,
  withoutLease,
} from "../../../../test/support/world.ts";
import { NO_PAUSE_NOTE } from "../../../model/pause.ts";
import { after } from "../../../model/time.ts";
import { decide } from "../decide.ts";

describe("a pause", () => {
  it("keeps a primary's lease alive, and its records", () => {
    expect(decide(given(leading(), paused))).toMatchObject({ because: "paused", vouch: true });
  });

  it("starts, promotes and ends nothing", () => {
    for (const w of [following(), given(following(), crashed), leaderless()]) {
      const { because, step, vouch } = decide(given(w, paused));
      expect({ because, step, vouch }).toEqual({
        because: "paused",
        step: undefined,
        vouch: false,
      });
    }
    expect(decide(given(leading(), orphaned, paused)).step).toBeUndefined();
  });

  it("is looked at again when it ends by itself", () => {
    const ending = config({ pauseNote: { ...NO_PAUSE_NOTE, untilMs: WALL_MS + 700 } });
    for (const w of [leading(), following()]) {
      expect(decide(given(w, paused, ending)).wakeAt).toBe(after(NOW, 700));
    }
  });

  it("holds nobody back who was asked to restart this node", () => {
    expect(decide(given(following(), paused, askedToRestart)).because).toBe("standby_restarting");
  });
});

describe("a switchover during a pause", () => {
  const named = intent({ leader: "n1", candidate: "n2" });

  it("is carried out by the leader and by the candidate", () => {
    expect(decide(given(leading(), paused, named, peerSays("n2"))).because).toBe(
      "switchover_stopping",
    );
    const heir = given(
      leaderless(),
      paused,
      named,
      released({ heir: "n2", minLsn: END }, { ago: 0 }),
    );
    expect(decide(heir).because).toBe("race_acquiring");
  });

  it("is over for a leader whose candidate does not answer", () => {
    expect(decide(given(leading(), paused, named, peerSilent("n2"))).because).toBe("paused");
  });

  it("lets the former leader go on as a standby while the candidate is there", () => {
    const w = given(
      leading(),
      withoutLease,
      stoppedAt(END),
      paused,
      named,
      released({ heir: "n2", minLsn: END }, { ago: 100 }),
      peerSays("n2"),
    );
    expect(decide(w).step).toMatchObject({ kind: "start-standby" });
  });

  it("is nobody else's occasion to take the lead", () => {
    const third = given(leaderless(), paused, intent({ candidate: "n3" }), peerSays("n3"));
    expect(decide(third).because).toBe("paused");
  });
});
