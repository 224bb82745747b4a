// Is a cluster begun once, by one, and never from half a directory?
import { describe, expect, it } from "vitest";
import {
  asPrimary,
  asStandby,
  bootstrapping,
  type Change,
  claimed,
  cluster,
  crashed,
  END,
  emptyStore,
  failed,
  following,
  foreignSystem,
  given,
  heldBy,
  holdSilentFor,
  memberIs,
  NOW,
  noData,
  outcome,
  server,
  stoppedAt,
  tagged,
  unborn,
  watchdogIs,
  withLease,
  withoutHold,
  withoutLeader,
} from "../../../../test/support/world.ts";
import { bareMember } from "../../../model/member.ts";
import { FIRST_BRANCH } from "../../../model/timeline.ts";
import { decide } from "../decide.ts";

const initialised = outcome("initialise", { agoMs: 2_000 });
const made = [asPrimary, stoppedAt(END), bootstrapping, claimed, initialised] as const;
const leads = [heldBy("n2", 5), withLease(5)] as const;
const othersHaveData: Change = cluster(() => ({
  members: [{ ...bareMember("n3", "n3.example", 5432, "http://n3.example:8008"), timeline: 4 }],
}));

describe("a member without data in an empty store", () => {
  it("claims the right, initialises, acquires, starts, records, in this order (R41)", () => {
    const run = given(unborn(), ...made, ...leads, asPrimary);
    const steps = [
      given(unborn()),
      given(unborn(), claimed),
      given(unborn(), ...made),
      given(unborn(), ...made, ...leads),
      run,
      given(following(), asPrimary, bootstrapping, ...leads),
    ].map((w) => decide(w).step?.kind);
    expect(steps).toEqual([
      "claim-bootstrap",
      "initialise",
      "acquire",
      "start-primary",
      "finish-bootstrap",
      "end-bootstrap",
    ]);
  });

  it("never begins while another member has data (R31)", () => {
    for (const w of [given(unborn(), othersHaveData), given(unborn(), claimed, othersHaveData)])
      expect(decide(w)).toMatchObject({ because: "bootstrap_waiting" });
  });

  it("tries for the claim once a second", () => {
    const refused = outcome("claim-bootstrap", { agoMs: 400, result: false });
    expect(decide(given(unborn(), refused))).toMatchObject({
      because: "bootstrap_waiting",
      wakeAt: NOW + 600,
    });
  });

  it("tries again a little after data could not be made, and says why", () => {
    const w = given(unborn(), claimed, failed("initialise", "REPO_UNREACHABLE", 1_000));
    expect(decide(w)).toMatchObject({ because: "bootstrap_waiting", wakeAt: NOW + 4_000 });
    expect(decide(w).detail).not.toBe("");
    expect(decide(w).step).toBeUndefined();
    const later = given(unborn(), claimed, failed("initialise", "REPO_UNREACHABLE", 5_000));
    expect(decide(later).step?.kind).toBe("initialise");
  });

  it("tells the store by which branches restored data has come", () => {
    const lineage = [FIRST_BRANCH, { timeline: 3, parent: 1, forkLsn: END, term: -9 }];
    const w = given(unborn(), ...made, ...leads, asPrimary, server({ lineage }));
    expect(decide(w).step).toMatchObject({ kind: "finish-bootstrap", branches: lineage });
  });

  it("leaves it to others when it must not lead", () => {
    expect(decide(given(unborn(), tagged({ nofailover: true }))).step).toBeUndefined();
    expect(decide(given(unborn(), watchdogIs("absent")))).toMatchObject({
      because: "bootstrap_waiting",
      detail: "a watchdog is required and it is absent",
    });
  });
});

describe("a bootstrap that was interrupted", () => {
  it("is made anew by an agent that did not see it", () => {
    const half = given(unborn(), asPrimary, stoppedAt(END), bootstrapping, claimed);
    expect(decide(half).step).toEqual({ kind: "discard-bootstrap" });
    const running = given(unborn(), asPrimary, bootstrapping, claimed, ...leads);
    expect(decide(running).step).toEqual({ kind: "kill" });
  });

  it("ends a primary whose lease is gone before anything else", () => {
    const w = given(unborn(), asPrimary, bootstrapping, claimed, initialised);
    expect(decide(w)).toMatchObject({ because: "demoting_without_lease", step: { kind: "kill" } });
  });

  it("ends a server that was meanwhile started as a standby", () => {
    const w = given(unborn(), ...made, ...leads, asStandby);
    expect(decide(w).step).toEqual({ kind: "kill" });
  });

  it("waits for a lease that another member holds or may still hold", () => {
    const taken = given(unborn(), ...made, heldBy("n3", 6));
    expect(decide(taken)).toMatchObject({ because: "bootstrap_waiting", wakeAt: NOW + 1_000 });
    const fresh = given(taken, withoutLeader, holdSilentFor(100));
    expect(decide(fresh).step).toBeUndefined();
    expect(decide(given(fresh, holdSilentFor(9_000))).step?.kind).toBe("acquire");
  });

  it("removes a leader key that has been silent for H, its own of a while ago included", () => {
    const w = given(unborn(), ...made, heldBy("n2", 6), holdSilentFor(9_000));
    expect(decide(w).step).toMatchObject({ kind: "remove-stale-leader", term: 6 });
  });

  it("asks for the claim again when the store refused the new cluster", () => {
    const refused = failed("finish-bootstrap", "NOT_POSSIBLE", 100);
    const w = given(unborn(), ...made, ...leads, asPrimary, refused);
    expect(decide(w)).toMatchObject({ because: "bootstrap_racing", vouch: false });
  });

  it("waits a moment after a start that failed", () => {
    const w = given(unborn(), ...made, ...leads, failed("start-primary", "PORT_IN_USE", 300));
    expect(decide(w)).toMatchObject({ because: "start_backoff", vouch: true, wakeAt: NOW + 700 });
  });

  it("gives way to the cluster that somebody else has made", () => {
    const running = given(following(), foreignSystem, bootstrapping);
    expect(decide(running).step).toEqual({ kind: "kill" });
    expect(decide(given(running, crashed)).step).toEqual({ kind: "discard-bootstrap" });
  });

  it("throws nothing away because the control file could not be read", () => {
    const w = given(following(), bootstrapping, server({ control: undefined }));
    expect(decide(w).step).toBeUndefined();
  });
});

describe("a member with data in an empty store", () => {
  it("initialises nothing", () => {
    const w = given(following(), crashed, emptyStore, withoutLeader, withoutHold);
    expect(decide(w)).toMatchObject({ because: "store_empty" });
    expect(decide(w).step).toBeUndefined();
  });
});

describe("a member without data in a cluster", () => {
  it("copies from a running primary", () => {
    expect(decide(given(following(), noData("missing"))).step).toMatchObject({
      kind: "clone",
      from: { member: "n1" },
    });
  });

  it("waits for one, looking often", () => {
    const w = given(following(), noData("empty"), memberIs("n1", { state: "starting" }));
    expect(decide(w)).toMatchObject({ because: "clone_waiting", wakeAt: NOW + 500 });
  });

  it("ends whatever works in a directory that is being rebuilt, and rebuilds it then (R32)", () => {
    const marked = given(following(), noData("marked"));
    const running = { ...marked.server, process: following().server.process };
    expect(decide({ ...marked, server: running })).toMatchObject({
      because: "stray_server",
      step: { kind: "kill" },
    });
    const orphans = { ...marked.server, process: { kind: "orphans", count: 2 } } as const;
    expect(decide({ ...marked, server: orphans })).toMatchObject({
      because: "fencing_orphans",
      step: { kind: "kill" },
    });
  });

  it("redoes what was marked as begun, and never starts it (R32)", () => {
    expect(decide(given(following(), noData("marked")))).toMatchObject({
      because: "redoing_marked",
      step: { kind: "clone" },
    });
  });
});
