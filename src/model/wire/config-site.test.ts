import { describe, expect, it } from "vitest";
import { parseConfig } from "./config.ts";

const parsed = (standby_cluster: unknown, beside: object = {}) =>
  parseConfig({ ...beside, standby_cluster }, { mode: "strict" });

describe("the site that a cluster follows", () => {
  it.each([
    [{ host: "far" }, { host: "far", port: 5432, slot: undefined }],
    [
      { host: "a, b", port: "5433" },
      { host: "a,b", port: 5433 },
    ],
    [
      { host: "fd00::1", primary_slot_name: "site_b", recovery_min_apply_delay: 60 },
      { host: "fd00::1", slot: "site_b", applyDelay: "60" },
    ],
  ])("is read (%#)", (given, site) => {
    expect(parsed(given)).toMatchObject({ kind: "ok", config: { standbyCluster: site } });
  });

  it.each([[undefined], [null], [{}]])("is none (%#)", (given) => {
    expect(parsed(given)).toMatchObject({ kind: "ok", config: { standbyCluster: undefined } });
  });

  it.each([
    ["far", "must be a map"],
    [{ port: 5432 }, "needs a host"],
    [{ restore_command: "cp" }, "needs a host"],
    [{ host: "a b;c" }, "needs a host"],
    [{ host: "far", port: "5432,5433" }, "port must be one number"],
    [{ host: "far", primary_slot_name: "Site-B" }, "primary_slot_name has"],
    [{ host: "far", hots: "far" }, "hots is not known"],
  ])("is refused with the reason (%#)", (given, why) => {
    const answer = parsed(given);
    expect(answer.kind).toBe("refused");
    expect(JSON.stringify(answer)).toContain(why);
  });

  it("warns of what has no effect beside it", () => {
    const site = { host: "far", archive_cleanup_command: "rm" };
    const answer = parsed(site, { synchronous_mode: "quorum" });
    expect(answer.kind === "ok" && answer.warnings).toEqual([
      expect.stringContaining("archive_cleanup_command: kept, but not acted on"),
      expect.stringContaining("synchronous_mode: ignored while"),
    ]);
  });
});
