// Does a node that leaves stop first and hand over last?
import { describe, expect, it } from "vitest";
import {
  asked,
  asPrimary,
  crashed,
  END,
  following,
  given,
  jobOf,
  justWon,
  leading,
  orphaned,
  peerSays,
  remembering,
  stoppedAt,
  stoppedInRecovery,
  withoutLease,
} from "../../../../test/support/world.ts";
import { lsn } from "../../../model/lsn.ts";
import { decide } from "../decide.ts";

const leaving = asked({ stopping: "stop" });
const STOP = { kind: "stop", timeoutMs: 60_000, heirApiUrl: undefined } as const;

describe("a node that stops", () => {
  it("stops its primary for the member that is furthest", () => {
    const w = given(
      leading(),
      leaving,
      peerSays("n2", { position: lsn(0x4ff0000) }),
      peerSays("n3"),
    );
    expect(decide(w)).toMatchObject({
      because: "stopping_server",
      step: { kind: "stop", heirApiUrl: "http://n3.example:8008" },
      vouch: true,
    });
  });

  it("vouches for its lease while the server stops, and for nothing without one", () => {
    expect(decide(given(leading(), leaving, jobOf(STOP))).vouch).toBe(true);
    expect(decide(given(following(), leaving, jobOf(STOP))).vouch).toBe(false);
  });

  it("cancels any other long step first", () => {
    const clone = { kind: "initialise", plan: leading().plan } as const;
    expect(decide(given(following(), leaving, jobOf(clone)))).toMatchObject({
      because: "stopping_server",
      cancelJob: true,
      vouch: false,
    });
  });

  it("ends orphans, and a primary without a lease, at once", () => {
    expect(decide(given(leading(), leaving, orphaned)).step).toEqual({ kind: "kill" });
    expect(decide(given(following(), asPrimary, leaving)).step).toEqual({ kind: "kill" });
  });
});

describe("a node whose server has stopped", () => {
  it("names as heir only who has every byte (R26)", () => {
    const behind = peerSays("n2", { position: lsn(0x4ff0000) });
    expect(decide(given(leading(), leaving, stoppedAt(END), behind)).step).toEqual({
      kind: "release",
      term: 100,
      release: { heir: undefined, minLsn: END },
    });
    expect(decide(given(leading(), leaving, stoppedAt(END), peerSays("n2"))).step).toMatchObject({
      release: { heir: "n2", minLsn: END },
    });
  });

  it("keeps the lease to itself when the end of its WAL is not known", () => {
    expect(decide(given(leading(), leaving, crashed))).toMatchObject({ because: "stopped" });
    expect(decide(given(leading(), leaving, crashed)).step).toBeUndefined();
  });

  it("gives a lease back that it never used, with what its predecessor demanded", () => {
    const w = given(
      justWon(),
      leaving,
      stoppedInRecovery,
      remembering({ inherited: { heir: "n2", minLsn: END } }),
    );
    expect(decide(w)).toMatchObject({
      because: "handing_over_before_stop",
      step: { kind: "release", term: 200, release: { heir: undefined, minLsn: END } },
    });
  });

  it("may leave as soon as it holds nothing", () => {
    const w = given(leading(), withoutLease, leaving, stoppedAt(END));
    expect(decide(w)).toMatchObject({ because: "stopped", vouch: false });
  });
});

describe("a node that detaches", () => {
  it("stops nothing and keeps vouching", () => {
    const w = given(leading(), asked({ stopping: "detach" }));
    expect(decide(w)).toMatchObject({ because: "detached", vouch: true });
    expect(decide(w).step).toBeUndefined();
  });
});
