// Which news is worth waking for?
import { describe, expect, it } from "vitest";
import { createWakes } from "./wakes.ts";

function listener(leads: boolean) {
  const sightings: number[] = [];
  const woken: string[] = [];
  const wakes = createWakes({
    sawHold: (revision) => void sightings.push(revision),
    wake: (why) => void woken.push(why),
    leads: () => leads,
  });
  return { wakes, sightings, woken };
}

const hold = (revision: number, released: boolean) =>
  ({ kind: "hold", revision, released, heir: undefined }) as const;

describe("news from the store", () => {
  it("dates every sign of the holder's life, and wakes only for a release", () => {
    const { wakes, sightings, woken } = listener(false);
    wakes.onEvent(hold(7, false));
    expect(woken).toEqual([]);
    wakes.onEvent(hold(8, true));
    expect(sightings).toEqual([7, 8]);
    expect(woken).toHaveLength(1);
  });

  it("wakes for a leader that comes or goes, a wish, a setting, a gap", () => {
    const { wakes, woken } = listener(false);
    wakes.onEvent({ kind: "leader", name: undefined });
    for (const kind of ["failover", "config", "initialize", "gap"] as const)
      wakes.onEvent({ kind });
    expect(woken).toHaveLength(5);
  });

  it("lets the leader hear what a router answers", () => {
    const { wakes, woken } = listener(true);
    wakes.onEvent({ kind: "router", name: "r1" });
    expect(woken).toHaveLength(1);
    const standby = listener(false);
    standby.wakes.onEvent({ kind: "router", name: "r1" });
    expect(standby.woken).toEqual([]);
  });

  it("lets the leader make a slot for a newcomer, once", () => {
    const { wakes, woken } = listener(true);
    wakes.onEvent({ kind: "member", name: "n4" });
    wakes.onEvent({ kind: "member", name: "n4" });
    expect(woken).toHaveLength(1);
    const standby = listener(false);
    standby.wakes.onEvent({ kind: "member", name: "n4" });
    standby.wakes.onEvent({ kind: "other" });
    expect(standby.woken).toEqual([]);
  });
});
