// Does a member promise only what it can keep?
import { describe, expect, it } from "vitest";
import { following, given, heldBy, leading, NOW, TERM } from "../../test/support/world.ts";
import type { HaWorld } from "../controllers/ha/world.ts";
import { after } from "../model/time.ts";
import { objectionTo, type Standing } from "./promise-objection.ts";

const ASKED = { grantee: "n1", term: TERM, durationMs: 8_000 };
const standing = (w: HaWorld): Standing => ({
  name: w.self.name,
  config: w.config,
  lease: w.lease,
  cluster: w.store.kind === "known" ? w.store.value : undefined,
  server: w.server,
  now: NOW,
});
const n2 = standing(following());

describe("a standby", () => {
  it("promises the leader that it knows, or one of a later term", () => {
    expect(objectionTo(ASKED, n2)).toBeUndefined();
    expect(objectionTo({ ...ASKED, grantee: "n3", term: TERM + 1 }, n2)).toBeUndefined();
    const blind = { ...n2, cluster: undefined };
    expect(objectionTo(ASKED, blind)).toBeUndefined();
  });

  it("promises nothing for a term that is over, by the store or by its own history", () => {
    expect(objectionTo({ ...ASKED, term: TERM - 1 }, n2)).toContain("known");
    expect(objectionTo({ ...ASKED, term: TERM - 1 }, { ...n2, cluster: undefined })).toContain(
      "known",
    );
    expect(objectionTo(ASKED, standing(given(following(), heldBy("n3", 200))))).toContain("known");
  });

  it("promises nothing to another than the leader of that term, nor to itself, nor nonsense", () => {
    expect(objectionTo({ ...ASKED, grantee: "n3" }, n2)).toBe(`n1 leads in term ${TERM}`);
    expect(objectionTo({ ...ASKED, grantee: "n2" }, n2)).toBe("that is myself");
    for (const durationMs of [0, -1, Number.NaN, 1e12])
      expect(objectionTo({ ...ASKED, durationMs }, n2)).toBe("for how long?");
  });

  it("promises nothing while failsafe mode is off", () => {
    const off = { ...n2, config: { ...n2.config, failsafeMode: false } };
    expect(objectionTo(ASKED, off)).toBe("failsafe_mode is off");
  });

  it("promises nothing while an acquire of its own may still land", () => {
    const open = (agoMs: number): Standing => ({
      ...n2,
      lease: { ...n2.lease, acquireUnknownSince: after(NOW, -agoMs) },
    });
    expect(objectionTo(ASKED, open(8_079))).toBe("Running as a leader");
    expect(objectionTo(ASKED, open(8_080))).toBeUndefined();
  });
});

it("a leader promises nothing, with or without the server up, nor does a primary without a lease", () => {
  const n1 = standing(leading());
  const asked = { grantee: "n2", term: 300, durationMs: 8_000 };
  expect(objectionTo(asked, n1)).toBe("Running as a leader");
  expect(objectionTo(asked, { ...n1, server: undefined })).toBe("Running as a leader");
  const bare = { ...n1, lease: { ...n1.lease, held: undefined } };
  expect(objectionTo(asked, bare)).toBe("Running as a leader");
});
