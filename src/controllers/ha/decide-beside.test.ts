// What goes with a decision, whichever rung makes it: upkeep and memory?
import { describe, expect, it } from "vitest";
import {
  fenceDead,
  following,
  given,
  leaderless,
  leading,
  memberIs,
  NOW,
  remembering,
  unread,
} from "../../../test/support/world.ts";
import { after } from "../../model/time.ts";
import { decide } from "./decide.ts";

describe("what goes with every decision", () => {
  it("brings a dead fence back, whatever else is decided", () => {
    expect(decide(given(leading(), fenceDead)).upkeep).toContainEqual({ kind: "ensure-fence" });
    expect(decide(given(following(), fenceDead, unread)).upkeep).toContainEqual({
      kind: "ensure-fence",
    });
  });

  it("publishes this member when the store shows it otherwise, and only then", () => {
    const first = decide(given(following()));
    const publish = first.upkeep.find((u) => u.kind === "publish");
    expect(publish).toMatchObject({ member: { name: "n2", role: "standby", state: "running" } });
    if (publish?.kind !== "publish") throw new Error("nothing to publish");
    const settled = decide(given(following(), memberIs("n2", publish.member)));
    expect(settled.upkeep).toEqual([]);
  });

  it("cannot publish to a store that does not answer", () => {
    expect(decide(given(following(), unread)).upkeep).toEqual([]);
  });

  it("forgets since when it races as soon as it does something else", () => {
    const racing = remembering({ racingSince: after(NOW, -5_000) });
    expect(decide(given(following(), racing)).memory.racingSince).toBeUndefined();
    expect(decide(given(leaderless(), racing)).memory.racingSince).toBe(NOW - 5_000);
  });
});
