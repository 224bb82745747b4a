// Is every change told once, in order, and nothing that is only half done?
import { describe, expect, it } from "vitest";
import {
  askedToRestart,
  asStandby,
  bootstrapping,
  crashed,
  detached,
  following,
  given,
  jobOf,
  leading,
  outcome,
  remembering,
  silentSql,
  startedAgo,
  withoutLease,
} from "../../test/support/world.ts";
import type { HaWorld } from "../controllers/ha/world.ts";
import { printRole } from "../model/wire/role.ts";
import { eventsUpTo, NOTHING_TOLD } from "./callback-events.ts";

const STANDBY = printRole("standby");

/** What is told over a row of looks. */
function told(...looks: readonly HaWorld[]): readonly string[] {
  let seen = NOTHING_TOLD;
  return looks.flatMap((world) => {
    const step = eventsUpTo(seen, world);
    seen = step.told;
    return step.events.map(({ action, role }) => `${action} ${role}`);
  });
}

describe("callbacks", () => {
  it("tell of a server once, however often it is looked at", () => {
    expect(told(leading(), leading(), leading())).toEqual(["on_start primary"]);
    expect(told(following(), following())).toEqual([`on_start ${STANDBY}`]);
  });

  it("tell of a promotion when it is done", () => {
    const promoting = given(leading(), jobOf({ kind: "checkpoint" }));
    expect(told(given(leading(), asStandby, withoutLease), promoting, leading())).toEqual([
      `on_start ${STANDBY}`,
      "on_role_change primary",
    ]);
  });

  it("tell of an end, and of a start in another role", () => {
    const back = given(leading(), asStandby, withoutLease, startedAgo(10));
    expect(told(leading(), given(leading(), crashed), back)).toEqual([
      "on_start primary",
      "on_stop primary",
      `on_role_change ${STANDBY}`,
    ]);
  });

  it("tell of a restart that was asked for only at its end", () => {
    const down = given(following(), crashed, askedToRestart);
    const up = given(following(), startedAgo(10));
    expect(told(following(), down, given(following(), crashed), up)).toEqual([
      `on_start ${STANDBY}`,
      `on_restart ${STANDBY}`,
    ]);
  });

  it("tell that a primary has lost its right", () => {
    expect(told(leading(), given(leading(), withoutLease))).toEqual([
      "on_start primary",
      "on_role_change demoted",
    ]);
  });

  it("tell that a primary which does not come up again leads no more, once", () => {
    const down = given(leading(), crashed);
    const failing = given(down, remembering({ startFailures: 1 }));
    const released = given(failing, withoutLease);
    expect(told(leading(), down, failing, released, released)).toEqual([
      "on_start primary",
      "on_stop primary",
      "on_role_change demoted",
    ]);
    const back = given(leading(), asStandby, withoutLease, startedAgo(10));
    expect(told(leading(), down, released, back).at(-1)).toBe(`on_role_change ${STANDBY}`);
  });

  it("tell of settings that were read anew", () => {
    const applied = outcome("apply-settings", { agoMs: 5 });
    const again = outcome("apply-settings", { agoMs: 1 });
    const looks = [leading(), given(leading(), applied), given(leading(), applied)];
    expect(told(...looks, given(leading(), again))).toEqual([
      "on_start primary",
      "on_reload primary",
      "on_reload primary",
    ]);
  });

  it("say nothing of what is not known or not finished", () => {
    expect(told(given(leading(), silentSql), given(leading(), bootstrapping))).toEqual([]);
    expect(told(given(following(), detached, crashed))).toEqual([]);
  });
});
