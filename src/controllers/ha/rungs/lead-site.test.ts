// What does a cluster do that follows another site, and how does it begin and cease to?
import { describe, expect, it } from "vitest";
import {
  following as followingTheSite,
  leadingSite,
  notStreaming,
  REMOTE,
  remoteSays,
  remoteSilent,
} from "../../../../test/support/site-world.ts";
import {
  askedToReinitialise,
  branches,
  type Change,
  cluster,
  config,
  crashed,
  END,
  FORK,
  given,
  intent,
  LINEAGE,
  leaderless,
  leading,
  peerSays,
  published,
  remembering,
  server,
  sql,
  stoppedAt,
} from "../../../../test/support/world.ts";
import { lsn } from "../../../model/lsn.ts";
import { decide } from "../decide.ts";

const becomesIndependent: Change = config({ standbyCluster: undefined });
const EARLIER = lsn(0x4800000);
/** The other site has left timeline 2 before our end of WAL. */
const LEFT_US = remoteSays({
  timeline: 3,
  history: [...REMOTE.history, { timeline: 2, endLsn: EARLIER, reason: "" }],
});

describe("a standby leader", () => {
  it("receives from the other site, keeps its lease, and never opens its server", () => {
    const decision = decide(leadingSite());
    expect(decision).toMatchObject({ because: "site_following", vouch: true });
    expect(decision.step).toBeUndefined();
    expect(decision.upkeep).toContainEqual(
      expect.objectContaining({
        kind: "publish",
        member: expect.objectContaining({ role: "standby leader" }) as unknown,
      }),
    );
  });

  it.each([
    ["streams from elsewhere", sql({ upstream: "n2.example:5432" })],
    ["streams by another slot", followingTheSite({ slot: "this_site" })],
  ])("is pointed at the other site when it %s", (_, change) => {
    expect(decide(leadingSite(change))).toMatchObject({
      because: "follow_repointing",
      step: { kind: "follow", upstream: { host: "far.example", port: 5432 } },
      vouch: true,
    });
  });

  it.each([
    ["site_unreachable", remoteSilent],
    ["site_foreign", remoteSays({ systemId: "1" })],
    ["site_slot_missing", remoteSays({ hasSlot: false })],
  ])("says %s and keeps what it has", (reason, change) => {
    const decision = decide(leadingSite(change, notStreaming));
    expect(decision).toMatchObject({ because: reason, vouch: true });
    expect(decision.step).toBeUndefined();
  });

  it("believes a stream that lives more than a look that failed", () => {
    expect(decide(leadingSite(remoteSilent)).because).toBe("site_following");
  });

  it("stops to be rewound when the other site has left its history", () => {
    const diverged = decide(leadingSite(LEFT_US, notStreaming));
    expect(diverged).toMatchObject({ because: "rejoin_rewinding", step: { kind: "stop" } });
    const down = leadingSite(LEFT_US, crashed, remembering({ divergedFrom: 300 }));
    const rebuilt = decide(down);
    expect(rebuilt.step).toMatchObject({ kind: "rewind", from: { host: "far.example" } });
    expect(rebuilt.vouch).toBe(true);
  });

  it("waits for the last word of a server that takes writes before it takes itself for diverged", () => {
    const standbys = given(leadingSite(LEFT_US, notStreaming), (w) =>
      w.remote?.last === undefined
        ? w
        : remoteSays({ ...w.remote.last.site, takesWrites: false })(w),
    );
    expect(decide(standbys).because).toBe("site_following");
  });

  it("writes down the branches of the other site under numbers that are no terms", () => {
    const at = lsn(END + 4096n);
    const branch = { timeline: 3, parent: 2, forkLsn: END, term: -1 - Number(END) };
    const moved = leadingSite(
      remoteSays({
        timeline: 3,
        position: at,
        history: [...REMOTE.history, { timeline: 2, endLsn: END, reason: "" }],
      }),
      sql({ timeline: 3, position: at }),
      server({ lineage: [...LINEAGE, branch] }),
    );
    expect(decide(moved).upkeep).toContainEqual(
      expect.objectContaining({ kind: "record-fork", branches: [...LINEAGE, branch] }),
    );
    expect(decide(given(moved, branches(...LINEAGE, branch))).upkeep).not.toContainEqual(
      expect.objectContaining({ kind: "record-fork" }),
    );
  });

  it("hands over to the member that was named, without a stop", () => {
    const asked = leadingSite(peerSays("n2"), intent({ leader: "n1", candidate: "n2" }));
    expect(decide(asked).step).toEqual({
      kind: "release",
      term: 300,
      release: { heir: "n2", minLsn: undefined },
    });
  });

  it("begins a term of its own after one that had its promotion (S4)", () => {
    const branch = { timeline: 3, parent: 2, forkLsn: END, term: 300 };
    expect(decide(leadingSite(branches(...LINEAGE, branch))).step).toMatchObject({
      kind: "release",
      release: { heir: "n1" },
    });
  });

  it("frees the election from the synchronous standbys of another time", () => {
    const sync = { value: { leader: "n2", standbys: [], quorum: 0 }, modRevision: 9 };
    expect(decide(leadingSite(cluster(() => ({ sync })))).step).toMatchObject({
      kind: "write-sync",
      state: undefined,
    });
  });

  it("is copied from the other site anew when a person asks, under its lease", () => {
    expect(decide(leadingSite(askedToReinitialise)).step).toMatchObject({ kind: "stop" });
    const copied = decide(leadingSite(askedToReinitialise, crashed));
    expect(copied).toMatchObject({ vouch: true, step: { kind: "clone" } });
    expect(copied.step).toMatchObject({ from: { host: "far.example" } });
  });

  it("starts its server as a standby again when it has ended, under its lease", () => {
    const ended = leadingSite(crashed);
    expect(decide(ended)).toMatchObject({ vouch: true, step: { kind: "start-standby" } });
    const hopeless = given(ended, remembering({ startFailures: 3 }));
    expect(decide(hopeless).step).toMatchObject({ kind: "release" });
  });
});

describe("whoever may lead a cluster that follows another site", () => {
  it("is not held back by what it lacks: everything comes from there", () => {
    const behind = given(leaderless(), published(lsn(0x9000000)));
    expect(decide(behind).because).toBe("race_too_far_behind");
    expect(decide(given(behind, followingTheSite())).because).toBe("race_acquiring");
  });

  it("need not be named by a person either", () => {
    const asks = given(leaderless(), config({ asksBeforeFailover: true }), followingTheSite());
    expect(decide(asks).because).toBe("race_acquiring");
  });
});

describe("promotion of the site", () => {
  it("stops receiving before it compares itself with the others", () => {
    const asked = leadingSite(
      becomesIndependent,
      remembering({ siteFollowed: "far.example:5432" }),
    );
    expect(decide(asked)).toMatchObject({
      because: "site_parting",
      step: { kind: "follow", upstream: undefined },
    });
  });

  it("is a promotion like any other after that: armed, reserved, promoted", () => {
    const parted = leadingSite(
      becomesIndependent,
      remembering({ siteFollowed: "far.example:5432" }),
      sql({ upstream: undefined, walReceiver: undefined }),
    );
    expect(decide(parted).because).toBe("lead_arming");
  });
});

describe("demotion of the site", () => {
  const demoted = (...changes: readonly Change[]) =>
    given(leading(), followingTheSite(), remoteSays(), ...changes);

  it("stops the primary in order", () => {
    expect(decide(demoted())).toMatchObject({ because: "site_demoting", step: { kind: "stop" } });
  });

  it.each([
    ["cannot be reached", remoteSilent],
    ["is another database", remoteSays({ systemId: "1" })],
    ["lacks the slot", remoteSays({ hasSlot: false })],
  ])("leaves the primary alone while the other site %s", (_, change) => {
    const decision = decide(demoted(change));
    expect(decision.step).toBeUndefined();
    expect(decision.detail).toContain("this primary goes on");
    expect(decision.vouch).toBe(true);
  });

  it("keeps the promise to synchronous commits as long as the primary goes on", () => {
    expect(decide(demoted(remoteSilent, config({ synchronousMode: "on" }))).because).toBe(
      "sync_changing",
    );
  });

  it("comes back as a standby where nothing was written in between, else by a rewind", () => {
    expect(decide(demoted(stoppedAt(END))).step).toMatchObject({
      kind: "start-standby",
      upstream: { host: "far.example" },
    });
    expect(decide(demoted(stoppedAt(END), LEFT_US)).step).toMatchObject({ kind: "rewind" });
    const first = remoteSays({ timeline: 1, history: [], position: FORK });
    expect(decide(demoted(stoppedAt(END), first)).step).toMatchObject({ kind: "rewind" });
  });
});
