// There is data but no healthy server: is it brought back the right way?
import { describe, expect, it } from "vitest";
import {
  accepting,
  armed,
  askedToReinitialise,
  asPrimary,
  BRANCH_2,
  BRANCH_3,
  config,
  crashed,
  END,
  failed,
  following,
  given,
  LINEAGE,
  leaderless,
  leading,
  ledByN2,
  memberIs,
  NOW,
  orphaned,
  peerSays,
  released,
  remembering,
  server,
  startedAgo,
  stoppedAt,
  stoppedInRecovery,
  stray,
  unarmed,
  withoutLease,
} from "../../../../test/support/world.ts";
import { lsn } from "../../../model/lsn.ts";
import { FIRST_BRANCH } from "../../../model/timeline.ts";
import { decide } from "../decide.ts";

/** n1 led term 100; now n2 leads term 200 on timeline 3, which left timeline 2 at END. */
const deposed = (...changes: Parameters<typeof given>[1][]) =>
  given(leading(), withoutLease, unarmed, ledByN2, ...changes);

describe("a server that must end", () => {
  it.each([
    ["orphans", orphaned, "fencing_orphans"],
    ["a stranger's server", stray, "stray_server"],
    ["a hung server", accepting("hung"), "server_hung"],
    ["a stopped postmaster", accepting("stopped"), "server_hung"],
  ])("%s: with and without the lease", (_, change, reason) => {
    expect(decide(given(leading(), change))).toMatchObject({
      because: reason,
      step: { kind: "kill" },
      vouch: true,
    });
    expect(decide(given(following(), change))).toMatchObject({ because: reason, vouch: false });
  });

  it("one that would open for writes without a lease", () => {
    const w = given(following(), asPrimary, accepting("starting"), startedAgo(10));
    expect(decide(w)).toMatchObject({ because: "demoting_without_lease", step: { kind: "kill" } });
  });

  it("one that has been starting for longer than allowed", () => {
    const slow = [accepting("starting"), startedAgo(300_000)] as const;
    expect(decide(given(following(), ...slow))).toMatchObject({
      because: "server_hung",
      step: { kind: "kill" },
    });
    expect(decide(given(leading(), ...slow))).toMatchObject({
      because: "crash_giving_up",
      step: { kind: "kill" },
      vouch: false,
    });
  });
});

describe("a server that is still starting", () => {
  const soon = [accepting("starting"), startedAgo(5_000)] as const;

  it("is waited for", () => {
    expect(decide(given(following(), ...soon))).toMatchObject({
      because: "starting_standby",
      vouch: false,
    });
    expect(decide(given(leading(), ...soon))).toMatchObject({
      because: "lead_waiting_for_server",
      vouch: true,
    });
    expect(decide(given(following(), ...soon)).step).toBeUndefined();
  });
});

describe("a standby that has been starting for long", () => {
  const slow = [accepting("starting"), startedAgo(400_000)] as const;

  it("has all the time it needs when it knows its upstream", () => {
    const w = given(following(), ...slow, remembering({ startedAlone: false }));
    expect(decide(w).step).toBeUndefined();
  });

  it("is started again once there is somebody to follow", () => {
    const alone = given(following(), ...slow, remembering({ startedAlone: true }));
    expect(decide(alone)).toMatchObject({ because: "server_hung", step: { kind: "kill" } });
    expect(decide(given(alone, startedAgo(9_000))).step).toBeUndefined();
    expect(decide(given(alone, memberIs("n1", { role: "standby" }))).step).toBeUndefined();
  });

  it("is remembered by how it was started", () => {
    expect(decide(given(following(), crashed)).memory.startedAlone).toBe(false);
    expect(decide(given(leaderless(), crashed)).memory.startedAlone).toBe(true);
  });
});

describe("a dead standby", () => {
  it("starts from its leader, through its own slot", () => {
    expect(decide(given(following(), stoppedInRecovery)).step).toMatchObject({
      kind: "start-standby",
      upstream: { host: "n1.example", port: 5432, slot: "n2" },
    });
  });

  it("starts from nobody while nobody can be followed", () => {
    expect(decide(given(leaderless(), crashed))).toMatchObject({
      because: "starting_standby",
      step: { kind: "start-standby", upstream: undefined },
    });
    const w = given(following(), crashed, memberIs("n1", { role: "standby" }));
    expect(decide(w)).toMatchObject({
      because: "follow_waiting",
      step: { kind: "start-standby", upstream: undefined },
    });
  });

  it("waits longer after every failure, up to half a minute", () => {
    const after3 = remembering({ startFailures: 2 });
    const w = given(following(), crashed, after3, failed("start-standby", "PG_START_FAILED", 100));
    expect(decide(w)).toMatchObject({ because: "start_backoff", wakeAt: NOW - 100 + 4_000 });
    const many = remembering({ startFailures: 40 });
    const longest = given(
      following(),
      crashed,
      many,
      failed("start-standby", "PG_START_FAILED", 0),
    );
    expect(decide(longest).wakeAt).toBe(NOW + 30_000);
  });

  it("is copied anew when a person asked for it, even when it cannot start", () => {
    const broken = failed("start-standby", "PG_START_FAILED", 100);
    expect(decide(given(following(), crashed, broken, askedToReinitialise))).toMatchObject({
      because: "reinitialising",
      step: { kind: "clone" },
    });
  });
});

describe("a former primary", () => {
  it("after a clean stop before the fork simply follows", () => {
    expect(decide(deposed(stoppedAt(END))).step).toMatchObject({
      kind: "start-standby",
      upstream: { member: "n2" },
    });
  });

  it("after a clean stop beyond the fork is rewound", () => {
    expect(decide(deposed(stoppedAt(lsn(END + 1n))))).toMatchObject({
      because: "rejoin_rewinding",
      step: { kind: "rewind", from: { member: "n2" }, lineage: [...LINEAGE, BRANCH_3] },
    });
  });

  it("after a crash is rewound, for nobody knows its end", () => {
    const verdict = decide(deposed(crashed));
    expect(verdict.because).toBe("rejoin_rewinding");
    expect(verdict.memory.divergedFrom).toBe(200);
  });

  it("with the number but not the term of the leader's branch is rebuilt (R19)", () => {
    const twin = [FIRST_BRANCH, BRANCH_2, { ...BRANCH_3, term: 150 }];
    const w = deposed(stoppedAt(END), server({ lineage: twin }));
    expect(decide(w).because).toBe("rejoin_rewinding");
  });

  it("is cloned where rewinding is off or has failed", () => {
    expect(decide(deposed(crashed, config({ usePgRewind: false }))).because).toBe("rejoin_cloning");
    const tried = decide(
      deposed(
        crashed,
        remembering({ divergedFrom: 200 }),
        failed("rewind", "PG_REWIND_FAILED", 10),
      ),
    );
    expect(tried).toMatchObject({ because: "rejoin_cloning", step: { kind: "clone" } });
  });

  it("waits between two copies that failed", () => {
    const w = deposed(
      crashed,
      config({ usePgRewind: false }),
      failed("clone", "PG_CLONE_FAILED", 4_999),
    );
    expect(decide(w).because).toBe("clone_waiting");
  });

  it("while nobody leads starts as a standby: its position counts in the race", () => {
    const w = given(
      leading(),
      withoutLease,
      armed(100, -1),
      released({ heir: "n2", minLsn: END }, { ago: 500 }),
      crashed,
      peerSays("n2"),
    );
    expect(decide(w).step).toMatchObject({ kind: "start-standby", upstream: undefined });
  });
});
