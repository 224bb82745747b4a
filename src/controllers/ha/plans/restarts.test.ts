// Does a primary that comes back again and again give way, and does one that came back once stay?
import { describe, expect, it } from "vitest";
import {
  asStandby,
  END,
  following,
  given,
  leading,
  NOW,
  peerSays,
  peerSilent,
  remembering,
  sql,
} from "../../../../test/support/world.ts";
import { lsn } from "../../../model/lsn.ts";
import { after } from "../../../model/time.ts";
import { decide } from "../decide.ts";
import { digest } from "./memory.ts";

const BEFORE = remembering({ life: { pid: 42, sharedSince: "an hour ago" } });
const crashes = (...ago: number[]) => remembering({ crashes: ago.map((ms) => after(NOW, -ms)) });

describe("a reset of the server (R46)", () => {
  it("is counted on a primary, said once, and keeps the lease", () => {
    const w = given(leading(), BEFORE, sql({ sharedSinceText: "now" }));
    const decision = decide(w);
    expect(decision).toMatchObject({ because: "lead_server_reset", vouch: true });
    expect(decision.memory.crashes).toEqual([NOW]);
    const next = { ...w, now: after(NOW, 100), memory: decision.memory };
    expect(decide(next)).toMatchObject({ because: "leading", memory: { crashes: [NOW] } });
  });

  it("is none when another server runs, and no crash of a primary on a standby", () => {
    const other = remembering({ life: { pid: 41, sharedSince: "an hour ago" } });
    expect(digest(given(leading(), other)).crashes).toEqual([]);
    expect(digest(given(following(), BEFORE)).crashes).toEqual([]);
  });
});

describe("a primary that came back", () => {
  it.each([
    ["twice within a minute", crashes(50_000, 10_000)],
    ["three times in ten minutes", crashes(500_000, 300_000, 10_000)],
  ])("%s stops for a standby", (_, often) => {
    expect(decide(given(leading(), often, peerSays("n2"), peerSays("n3")))).toMatchObject({
      because: "crash_stepping_down",
      step: { kind: "stop", heirApiUrl: "http://n2.example:8008" },
      vouch: true,
    });
  });

  it.each([
    ["once", crashes(10_000), peerSays("n2")],
    ["twice with a minute of service between", crashes(90_000, 10_000), peerSays("n2")],
    ["often, long ago", crashes(900_000, 890_000, 880_000), peerSays("n2")],
    ["often, and nobody answers", crashes(50_000, 10_000), peerSilent("n2")],
    [
      "often, and the best standby is too far behind",
      crashes(50_000, 10_000),
      peerSays("n2", { position: lsn(END - 2n ** 21n) }),
    ],
  ])("%s goes on", (_, often, peer) => {
    expect(decide(given(leading(), often, peer)).because).toBe("leading");
  });

  it("and is a standby now begins to count anew", () => {
    expect(digest(given(leading(), crashes(50_000, 10_000), asStandby)).crashes).toEqual([]);
  });
});
