// What does a pause hold back, and what not?
import { describe, expect, it } from "vitest";
import { letGo, recorded } from "../../../../test/support/pause-world.ts";
import {
  acquireUnknown,
  armed,
  asked,
  askedToReinitialise,
  askedToRestart,
  config,
  crashed,
  END,
  failed,
  following,
  given,
  heldBy,
  holdSilentFor,
  intent,
  leaderless,
  leading,
  leaseIdOf,
  ledByN2,
  memberIs,
  NOW,
  orphaned,
  outcome,
  paused,
  peerSays,
  peerSilent,
  released,
  stoppedAt,
  stray,
  TERM,
  unread,
  WALL_MS,
  withoutLeader,
  withoutLease,
} from "../../../../test/support/world.ts";
import { NO_PAUSE_NOTE } from "../../../model/pause.ts";
import { after } from "../../../model/time.ts";
import { decide } from "../decide.ts";
import type { HaWorld } from "../world.ts";

describe("a pause", () => {
  it("keeps the lease of a primary alive, and its records, with a deadline or without", () => {
    const free = given(leading(), paused, recorded("n1"), letGo);
    expect(decide(free)).toMatchObject({ because: "paused", vouch: true });
    expect(decide(given(leading(), paused)).vouch).toBe(true);
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

  it("lets nobody race who was asked to restart or to be copied anew", () => {
    for (const wish of [askedToRestart, askedToReinitialise]) {
      expect(decide(given(leaderless(), wish)).step?.kind).toBe("acquire");
      const { because, step } = decide(given(leaderless(), paused, wish));
      expect({ because, step }).toEqual({ because: "paused", step: undefined });
    }
  });
});

const written = outcome("record-unguarded", { result: "written", agoMs: 5 });

describe("the first phase", () => {
  it("tells the store under its term, and only then the fence", () => {
    const { step } = decide(given(leading(), paused));
    expect(step).toMatchObject({ kind: "record-unguarded", term: TERM, revision: 0 });
    expect(step).toMatchObject({ record: { member: "n1", term: TERM, host: "n1.example" } });
    const told = given(leading(), paused, recorded("n1"), written);
    expect(decide(told).step).toEqual({ kind: "unguard", term: TERM });
  });

  it("trusts no record of an earlier life, of another term, or that it has taken back since", () => {
    const back = outcome("clear-unguarded", { agoMs: 4 });
    for (const w of [
      given(leading(), paused, recorded("n1")),
      given(leading(), paused, recorded("n1", TERM - 1), written),
      given(leading(), paused, recorded("n1"), written, back),
    ]) {
      expect(decide(w).step).toMatchObject({ kind: "record-unguarded", revision: 700 });
    }
  });

  it("waits a moment after a refusal, and says that the deadline stands", () => {
    const refused = outcome("record-unguarded", { result: "refused", agoMs: 999 });
    expect(decide(given(leading(), paused, refused))).toMatchObject({
      because: "paused",
      detail: "the fence stays armed: not yet told",
      vouch: true,
    });
    const told = given(leading(), paused, recorded("n1"), written, failed("unguard", "NO"));
    expect(decide(told).detail).toContain("failed with NO");
  });

  it("does not begin while an agent of an earlier version could race past the record", () => {
    const old = memberIs("n3", {
      ours: { agent: "0.0.9", hold: true, fence: true, heedsPause: false },
    });
    expect(decide(given(leading(), paused, old))).toMatchObject({
      because: "paused",
      detail: "the fence stays armed: the agent of n3 would not heed the record",
    });
  });

  it("guards a server whose record has gone before it is recorded anew", () => {
    expect(decide(given(leading(), paused, letGo)).step).toEqual({ kind: "guard" });
  });
});

describe("a primary without a deadline", () => {
  const free = given(leading(), paused, recorded("n1"), letGo);

  it("needs neither store nor lease, paused or not", () => {
    for (const change of [paused, config({ paused: false })]) {
      const blind = decide(given(free, change, unread, withoutLease));
      expect([blind.because, blind.step]).toEqual(["paused", undefined]);
    }
  });

  it("takes the key again that ended meanwhile, under what it has read", () => {
    const { step } = decide(given(free, withoutLeader, withoutLease));
    expect(step).toMatchObject({ kind: "acquire", basis: { unguardedRevision: 700 } });
    const unsure = given(free, withoutLeader, withoutLease, acquireUnknown(100));
    expect(decide(unsure).step).toBeUndefined();
  });

  it("is adopted by a new agent whatever term the fence heard of last", () => {
    const back = given(free, heldBy("n1", 150, leaseIdOf("n1")), withoutLease);
    expect(decide(back).step).toMatchObject({ kind: "adopt", term: 150 });
  });

  it("ends when the store no longer allows it, or somebody leads in spite of it", () => {
    const confirmed = given(leading(), paused, letGo, withoutLeader, withoutLease);
    expect(decide(confirmed).step).toEqual({ kind: "kill" });
    expect(decide(given(free, ledByN2, withoutLease)).step).toEqual({ kind: "kill" });
  });

  it("stays when its agent stops, as does a standby; one with a deadline is let go first", () => {
    const leaving = asked({ stopping: "stop" });
    expect(decide(given(free, leaving)).because).toBe("detached");
    expect(decide(given(following(), paused, leaving)).because).toBe("detached");
    expect(decide(given(leading(), paused, leaving)).because).toBe("pause_letting_go");
    expect(decide(given(leading(), paused, leaving, crashed)).because).not.toBe("detached");
  });

  it("is not replaced with a fence that is silent, until the pause ends", () => {
    const silent = (w: HaWorld): HaWorld => ({ ...w, fence: { ...w.fence, alive: false } });
    const ensure = { kind: "ensure-fence" };
    expect(decide(given(free, silent)).upkeep).not.toContainEqual(ensure);
    const parted = (w: HaWorld): HaWorld => ({ ...w, fence: { ...w.fence, serverPid: undefined } });
    const lost = given(free, silent, parted, stray);
    expect(decide(lost).upkeep).toContainEqual(ensure);
    expect(decide(given(lost, unread, withoutLease)).step).toBeUndefined();
    expect(decide(given(free, silent, config({ paused: false }))).upkeep).toContainEqual(ensure);
  });
});

describe("the second phase", () => {
  const over = given(leading(), recorded("n1"), letGo);

  it("gives the deadline back, and takes the record away last", () => {
    expect(decide(over)).toMatchObject({ step: { kind: "guard" }, vouch: true });
    const guarded = given(leading(), recorded("n1"));
    expect(decide(guarded).step).toEqual({ kind: "clear-unguarded", revision: 700 });
    expect(decide(leading()).because).toBe("leading");
  });

  it("takes no record away while the deadline is another term's or over", () => {
    for (const change of [armed(TERM - 1, 5_000), armed(TERM, -1)])
      expect(decide(given(leading(), recorded("n1"), change)).because).toBe("leading");
  });

  it("takes it away for a server that is down or a standby, paused or not", () => {
    for (const w of [given(following(), recorded("n2")), given(leading(), crashed, recorded("n1"))])
      for (const change of [paused, config({ paused: false })])
        expect(decide(given(w, change)).step).toMatchObject({ kind: "clear-unguarded" });
  });

  it("keeps everybody else from racing until then, however silent the holder is", () => {
    expect(decide(given(leaderless(), recorded("n1")))).toMatchObject({
      because: "race_waiting_for_armed",
      detail: "n1 ran without its fence and has not said that it is armed again",
    });
    const stale = given(leaderless(), recorded("n1"), heldBy("n1", TERM), holdSilentFor(60_000));
    expect(decide(stale).because).toBe("follow_repointing");
    const byHand = given(leaderless(), recorded("n1"), intent({ candidate: "n2" }));
    expect(decide(byHand).because).toBe("race_waiting_for_armed");
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
    const free = given(leading(), paused, recorded("n1"), letGo, named, peerSilent("n2"));
    expect(decide(free).because).toBe("paused");
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

  it("that was planned for later waits until the pause is over", () => {
    const planned = intent({ leader: "n1", candidate: "n2", scheduledAtMs: WALL_MS });
    const free = given(leading(), paused, recorded("n1"), letGo, planned, peerSays("n2"));
    expect(decide(free).because).toBe("paused");
  });

  it("begins with a leader that has its deadline again and has said so", () => {
    const free = given(leading(), paused, recorded("n1"), letGo, named, peerSays("n2"));
    expect(decide(free).step).toEqual({ kind: "guard" });
    const guarded = given(leading(), paused, recorded("n1"), named, peerSays("n2"));
    expect(decide(guarded).step).toEqual({ kind: "clear-unguarded", revision: 700 });
  });

  it("is nobody else's occasion to take the lead", () => {
    const third = given(leaderless(), paused, intent({ candidate: "n3" }), peerSays("n3"));
    expect(decide(third).because).toBe("paused");
  });
});
