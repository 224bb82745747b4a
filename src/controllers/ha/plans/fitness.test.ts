// Does a primary that must not or cannot go on give way?
import { describe, expect, it } from "vitest";
import {
  config,
  crashed,
  END,
  given,
  leading,
  NOW,
  peerSays,
  peerSilent,
  remembering,
  server,
  stoppedAt,
  watchdogIs,
} from "../../../../test/support/world.ts";
import { after, type Ms } from "../../../model/time.ts";
import { decide } from "../decide.ts";

const full = server({ diskFreeBytes: 4_096 });
const fullFor = (ms: Ms) => remembering({ diskFullSince: after(NOW, -ms) });

describe("a primary on a full disk (R43)", () => {
  it("stops for a standby that has room, after three seconds", () => {
    expect(decide(given(leading(), full, peerSays("n2"))).because).toBe("leading");
    expect(decide(given(leading(), full, fullFor(3_000), peerSays("n2")))).toMatchObject({
      because: "lead_disk_full",
      step: { kind: "stop", heirApiUrl: "http://n2.example:8008", timeoutMs: 10_000 },
      vouch: true,
    });
  });

  it.each([
    ["nobody answers", peerSilent("n2")],
    ["the others are full too", peerSays("n2", { unfit: "its disk is full" })],
  ])("goes on when %s", (_, peer) => {
    expect(decide(given(leading(), full, fullFor(60_000), peer)).because).toBe("leading");
  });

  it("remembers since when, and forgets it when there is room again", () => {
    expect(decide(given(leading(), full)).memory.diskFullSince).toBe(NOW);
    expect(decide(given(leading(), fullFor(3_000))).memory.diskFullSince).toBeUndefined();
  });
});

describe("a primary without the watchdog that it must have", () => {
  const without = watchdogIs("failed");

  it("stops, with an heir or without, and primary_stop_timeout is its limit", () => {
    const soon = config({ primaryStopTimeoutMs: 4_000 });
    expect(decide(given(leading(), without, soon, peerSays("n2")))).toMatchObject({
      because: "lead_without_watchdog",
      step: { kind: "stop", timeoutMs: 4_000, heirApiUrl: "http://n2.example:8008" },
    });
    expect(decide(given(leading(), without)).step).toMatchObject({ kind: "stop" });
  });

  it("is not opened again: the lease goes to whoever has its last byte", () => {
    expect(decide(given(leading(), without, stoppedAt(END), peerSilent("n2")))).toMatchObject({
      because: "lead_without_watchdog",
      step: { kind: "release", release: { heir: undefined, minLsn: END } },
    });
    expect(decide(given(leading(), without, crashed)).step).toMatchObject({ kind: "release" });
  });
});
