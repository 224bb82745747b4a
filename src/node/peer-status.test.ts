// Does a member answer with what its server is now, not with what it was?
import { describe, expect, it } from "vitest";
import {
  crashed,
  END,
  following,
  given,
  LINEAGE,
  later,
  leading,
  server,
  sql,
  tagged,
  watchdogIs,
} from "../../test/support/world.ts";
import { peerStatusOf } from "./peer-status.ts";

describe("the answer to a peer", () => {
  it("brings position and lineage of one moment (R23)", () => {
    const w = given(following(), tagged({ nosync: true }));
    expect(peerStatusOf(w.self, w.server, w, w.now)).toEqual({
      name: "n2",
      role: "standby",
      state: "running",
      position: END,
      timeline: 2,
      lineage: LINEAGE,
      tags: w.self.tags,
      unfit: undefined,
      watchdogFailed: false,
      promisedTerm: undefined,
    });
  });

  it("says what speaks against this member", () => {
    const full = given(following(), server({ diskFreeBytes: 4_096 }));
    expect(peerStatusOf(full.self, full.server, full, full.now).unfit).toBe("its disk is full");
    const w = given(following(), watchdogIs("failed"));
    expect(peerStatusOf(w.self, w.server, w, w.now)).toMatchObject({
      unfit: "a watchdog is required and it is failed",
      watchdogFailed: true,
    });
  });

  it("has no position while the server has WAL of its own to replay", () => {
    const w = given(following(), sql({ exhausted: false }));
    expect(peerStatusOf(w.self, w.server, w, w.now).position).toBeUndefined();
  });

  it("is about the fresh look, not about the last world", () => {
    const w = given(leading());
    const dead = given(leading(), crashed).server;
    expect(peerStatusOf(w.self, dead, w, w.now)).toMatchObject({
      role: "standby",
      state: "crashed",
      position: undefined,
    });
  });

  it("claims to be the primary only while the lease lasts", () => {
    const w = given(leading());
    const { now } = given(leading(), later(5_000));
    expect(peerStatusOf(w.self, w.server, w, w.now).role).toBe("primary");
    expect(peerStatusOf(w.self, w.server, w, now).role).toBe("demoted");
  });

  it("is empty before the first look", () => {
    const w = given(following());
    expect(peerStatusOf(w.self, w.server, undefined, w.now)).toMatchObject({
      role: "uninitialized",
      state: "unknown",
    });
  });
});
