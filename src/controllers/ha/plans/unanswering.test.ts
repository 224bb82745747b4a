// How long is a primary that answers none of our questions waited for?
import { describe, expect, it } from "vitest";
import {
  accepting,
  following,
  given,
  leading,
  NOW,
  peerSays,
  remembering,
  silentSql,
  startedAgo,
} from "../../../../test/support/world.ts";
import { after, type Ms } from "../../../model/time.ts";
import { decide } from "../decide.ts";

const silentFor = (ms: Ms) => remembering({ silentSince: after(NOW, -ms) });
const served = remembering({ life: { pid: 42, sharedSince: "an hour ago" } });
const silent = (...changes: Parameters<typeof given>[1][]) =>
  given(leading(), silentSql, ...changes);

describe("a primary that answers nothing", () => {
  it.each([
    ["every session with an error, for less than 5 s", accepting("failing"), 4_900],
    ["not yet, resetting itself, for less than 5 s", accepting("starting"), 4_900],
    ["nothing at all, for less than 30 s", accepting("yes"), 29_000],
  ])("but %s is waited for under its lease", (_, answers, ms) => {
    const w = silent(served, answers, silentFor(ms), peerSays("n2"));
    expect(decide(w)).toMatchObject({ because: "lead_waiting_for_server", vouch: true });
  });

  it.each([
    ["every session with an error", accepting("failing"), 5_000],
    ["not yet, after a reset", accepting("starting"), 5_000],
    ["nothing at all", accepting("yes"), 30_000],
  ])("but %s for too long is ended", (_, answers, ms) => {
    const w = silent(served, answers, silentFor(ms), peerSays("n2"));
    expect(decide(w)).toMatchObject({ because: "server_hung", step: { kind: "kill" } });
  });

  it("and has nobody to follow it goes on recovering, and is not ended for being silent", () => {
    const patient = [
      silent(served, accepting("starting"), silentFor(250_000)),
      silent(served, accepting("yes"), silentFor(3_000_000)),
    ];
    for (const w of patient) expect(decide(w).because).toBe("lead_waiting_for_server");
    const late = silent(served, accepting("starting"), silentFor(300_000));
    expect(decide(late)).toMatchObject({ because: "crash_giving_up", step: { kind: "kill" } });
  });

  it("and was started by another life of this agent gets primary_start_timeout from its start", () => {
    const w = (ms: Ms) => silent(accepting("starting"), startedAgo(ms), silentFor(100));
    expect(decide(w(299_000)).because).toBe("lead_waiting_for_server");
    expect(decide(w(300_000)).because).toBe("crash_giving_up");
  });
});

it("a standby that refuses everybody is ended as well", () => {
  const w = given(following(), silentSql, accepting("failing"), silentFor(5_000));
  expect(decide(w)).toMatchObject({ because: "server_hung", step: { kind: "kill" }, vouch: false });
});
