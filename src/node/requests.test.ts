// When has a wish come true?
import { describe, expect, it } from "vitest";
import {
  asked,
  crashed,
  failed,
  following,
  given,
  jobOf,
  leading,
  NOW,
  outcome,
  paused,
  sql,
  startedAgo,
  WALL_MS,
} from "../../test/support/world.ts";
import type { ScheduledRestart } from "../model/restart.ts";
import { after } from "../model/time.ts";
import { printRole } from "../model/wire/role.ts";
import { due, NO_REQUESTS, unfulfilled } from "./requests.ts";

const restart = { ...NO_REQUESTS, restart: { at: after(NOW, -1_000) } };
const reinitialise = { ...NO_REQUESTS, reinitialise: { at: after(NOW, -1_000) } };

describe("a restart", () => {
  it("is done once a server runs that was started after the wish", () => {
    expect(unfulfilled(restart, given(following(), startedAgo(999)))).toEqual(NO_REQUESTS);
    expect(unfulfilled(restart, given(following(), startedAgo(1_000)))).toEqual(restart);
    expect(unfulfilled(restart, given(following(), crashed))).toEqual(restart);
  });
});

describe("a new copy", () => {
  it("is done once one has been finished after the wish", () => {
    const copied = (agoMs: number) => given(following(), outcome("clone", { agoMs }));
    expect(unfulfilled(reinitialise, copied(999))).toEqual(NO_REQUESTS);
    expect(unfulfilled(reinitialise, copied(1_000))).toEqual(reinitialise);
    const broken = given(following(), failed("clone", "PG_CLONE_FAILED"));
    expect(unfulfilled(reinitialise, broken)).toEqual(reinitialise);
  });
});

describe("a slot that shall go", () => {
  it("is gone when the server no longer has it, and not when the server does not answer", () => {
    const wish = { ...NO_REQUESTS, dropSlot: { at: NOW, name: "n3" } };
    expect(unfulfilled(wish, following())).toEqual(wish);
    expect(unfulfilled(wish, given(following(), crashed))).toEqual(wish);
    expect(unfulfilled(wish, given(following(), sql({ slots: [] })))).toEqual(NO_REQUESTS);
  });
});

describe("settings that shall be read again", () => {
  it("are once they have been applied after the wish, whatever came of it", () => {
    const wish = { ...NO_REQUESTS, reload: { at: after(NOW, -1_000) } };
    const applied = (agoMs: number) => given(following(), outcome("apply-settings", { agoMs }));
    expect(unfulfilled(wish, applied(1_000))).toEqual(wish);
    expect(unfulfilled(wish, applied(999))).toEqual(NO_REQUESTS);
    const refused = given(following(), failed("apply-settings", "PG_PARAMETER_REFUSED"));
    expect(unfulfilled(wish, refused)).toEqual(NO_REQUESTS);
  });
});

describe("leaving", () => {
  it("is never taken back", () => {
    const stopping = { ...restart, stopping: "stop" } as const;
    const w = given(following(), startedAgo(1), asked({ stopping: "stop" }));
    expect(unfulfilled(stopping, w).stopping).toBe("stop");
  });
});

describe("a restart for later", () => {
  const planned = (change: Partial<ScheduledRestart> = {}) => ({
    ...NO_REQUESTS,
    scheduledRestart: {
      at: "",
      atMs: WALL_MS,
      role: undefined,
      belowVersion: undefined,
      onlyPending: false,
      timeoutMs: undefined,
      serverStartedAt: "2026-11-22 23:00:00+00",
      ...change,
    },
  });
  const now = { ...NO_REQUESTS, restart: { at: NOW } };

  it("waits for its time, and is asked for then", () => {
    const early = planned({ atMs: WALL_MS + 1 });
    expect(due(early, following())).toEqual({ requests: early });
    expect(due(planned(), following())).toEqual({ requests: now });
    expect(due(planned({ atMs: WALL_MS - 3_000 }), following())).toEqual({ requests: now });
  });

  it("waits on while the cluster is paused or something long runs", () => {
    for (const change of [paused, jobOf({ kind: "checkpoint" })]) {
      expect(due(planned(), given(leading(), change))).toEqual({ requests: planned() });
    }
  });

  it.each([
    [planned({ atMs: WALL_MS - 3_001 }), "its time has passed"],
    [planned({ serverStartedAt: "2026-11-22 22:00:00+00" }), "started meanwhile"],
    [planned({ role: "primary" }), "conditions do not fit"],
    [planned({ belowVersion: "15.4" }), "conditions do not fit"],
    [planned({ onlyPending: true }), "conditions do not fit"],
  ])("is dropped with a reason (%#)", (requests, why) => {
    const { requests: left, dropped } = due(requests, following());
    expect([left, dropped?.includes(why)]).toEqual([NO_REQUESTS, true]);
  });

  it("is done under the conditions that were named", () => {
    const pendingRestart = [{ parameter: "a", oldValue: "1", newValue: "2" }];
    const waiting = given(following(), sql({ pendingRestart }));
    const role = printRole("standby");
    const limited = planned({ role, belowVersion: "15.5", onlyPending: true });
    expect(due(limited, waiting)).toEqual({ requests: now });
  });
});
