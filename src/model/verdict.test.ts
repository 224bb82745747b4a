import { describe, expect, it } from "vitest";
import { cluster, member, primary, WALL_MS } from "../../test/support/node-view.ts";
import { DEFAULT_CONFIG } from "./config.ts";
import { lsn } from "./lsn.ts";
import { DEFAULT_TAGS } from "./settings.ts";
import { verdictOn } from "./verdict.ts";

const LAG = 1_048_576;

describe("the sentence on a cluster", () => {
  it("says who can take over when all is well", () => {
    expect(verdictOn(cluster(), LAG, WALL_MS)).toEqual({
      health: "healthy",
      sentence: "n1 is the primary; 2 standbys can take over, at most 0 B behind",
      warnings: [],
    });
  });

  it.each([
    [{ initialize: { value: undefined, modRevision: 0 }, leader: undefined }, "no cluster exists"],
    [{ leader: undefined }, "nobody leads"],
    [{ members: [member("n2")] }, "n1 leads but is not there"],
    [{ members: [primary("n1", { state: "starting" })] }, "n1 leads but is not a running primary"],
  ])("is critical without a primary (%#)", (change, words) => {
    const { health, sentence } = verdictOn(cluster(change), LAG, WALL_MS);
    expect([health, sentence.includes(words)]).toEqual(["critical", true]);
  });

  it("says of a cluster that follows another site from where it receives, and when it does not", () => {
    const standbyCluster = { host: "a,b", port: 5432, slot: undefined };
    const site = { ...standbyCluster, restoreCommand: undefined, applyDelay: undefined };
    const config = { value: { ...DEFAULT_CONFIG, standbyCluster: site }, modRevision: 7 };
    const led = (change: object) =>
      cluster({
        config,
        members: [member("n1", { role: "standby leader", ...change }), member("n2")],
      });
    expect(verdictOn(led({}), LAG, WALL_MS)).toEqual({
      health: "healthy",
      sentence: "n1 leads a standby of a,b:5432; n2 can take over, 0 B behind",
      warnings: [],
    });
    expect(verdictOn(led({ replicationState: undefined }), LAG, WALL_MS)).toMatchObject({
      health: "degraded",
      warnings: ["n1 receives nothing from a,b:5432: reads get older"],
    });
    expect(verdictOn(cluster({ config, leader: undefined }), LAG, WALL_MS).sentence).toBe(
      "nobody leads: nothing is received from a,b:5432",
    );
  });

  it.each([
    [[primary("n1")], "there is no standby"],
    [[primary("n1"), member("n2", { state: "cloning" })], "n2 is cloning"],
    [[primary("n1"), member("n2", { state: "unknown" })], "n2 is in an unknown state"],
    [[primary("n1"), member("n2", { replicationState: undefined })], "n2 does not stream"],
    [[primary("n1"), primary("n2")], "n2 does not lead, and was primary when it last reported"],
    [
      [primary("n1"), member("n2", { tags: { ...DEFAULT_TAGS, nofailover: true } })],
      "no standby can take over",
    ],
  ])("warns of trouble (%#)", (members, words) => {
    const { health, warnings } = verdictOn(cluster({ members }), LAG, WALL_MS);
    expect([health, warnings]).toEqual(["degraded", [words]]);
  });

  it("knows a primary that lives on the word of the others", () => {
    const bound = member("n2", { because: "race_promised_to_peer" });
    const hold = {
      holder: "n1",
      term: 10,
      seq: 1,
      holdMs: 8_000,
      released: undefined,
      modRevision: 11,
    };
    const seen = cluster({ leader: undefined, hold, members: [bound, member("n3")] });
    expect(verdictOn(seen, LAG, WALL_MS)).toEqual({
      health: "degraded",
      sentence: "n1 cannot reach the store and is the primary on the word of the others",
      warnings: ["n2 will not take over before the promise to n1 ends"],
    });
  });

  it.each([
    [{ sync: { value: { leader: "n1", standbys: ["n3"], quorum: 0 }, modRevision: 1 } }],
    [{ roster: { value: { n1: "http://n1", n3: "http://n3" }, modRevision: 1 } }],
  ])("counts nobody who may not be elected (%#)", (change) => {
    const { health, sentence } = verdictOn(cluster(change), LAG, WALL_MS);
    expect([health, sentence]).toEqual([
      "healthy",
      "n1 is the primary; n3 can take over, 0 B behind",
    ]);
  });

  it("asks, where a person has to say who leads, and says what that would cost", () => {
    const asking = member("n2", { because: "race_asking", position: lsn(600) });
    const { health, sentence, warnings } = verdictOn(
      cluster({ leader: undefined, members: [asking, member("n3", { because: "race_behind" })] }),
      LAG,
      WALL_MS,
    );
    expect([health, sentence]).toEqual([
      "critical",
      "nobody leads until a person says who: nobody can write",
    ]);
    expect(warnings).toEqual(["n2 could lead, 400 B behind: understudy failover --to n2"]);
  });

  it("says who runs without its fence in a pause, and what keeps the others from leading after it", () => {
    const record = {
      member: "n1",
      term: 10,
      sinceMs: WALL_MS - 60_000,
      host: "",
      port: 0,
      apiUrl: "",
    };
    const unguarded = { value: record, modRevision: 9 };
    const config = { value: { ...DEFAULT_CONFIG, paused: true }, modRevision: 1 };
    expect(verdictOn(cluster({ config, unguarded }), LAG, WALL_MS)).toMatchObject({
      health: "degraded",
      sentence: "n1 is the primary; 2 standbys can take over, at most 0 B behind",
      warnings: [
        "the cluster is paused, until it is resumed: no failover",
        "n1 has been running without its fence for 1m 0s",
      ],
    });
    const gone = cluster({ unguarded, leader: undefined, members: [member("n2")] });
    const { health, sentence, warnings } = verdictOn(gone, LAG, WALL_MS);
    expect(health).toBe("unknown");
    expect(sentence).toBe("n1 may be the primary still, without an agent; nobody else leads");
    expect(warnings[0]).toContain("understudy resume --confirm-down n1");
  });

  it("warns of lag, pause and pending restarts", () => {
    const pendingRestart = [{ parameter: "a", oldValue: "1", newValue: "2" }];
    const { sentence, warnings } = verdictOn(
      cluster({
        config: { value: { ...DEFAULT_CONFIG, paused: true }, modRevision: 1 },
        status: { value: { position: lsn(10_000_000), slots: {}, absentMs: {} }, modRevision: 1 },
        members: [
          primary("n1", { pendingRestart }),
          member("n2"),
          member("n3", { position: lsn(9_999_000) }),
        ],
      }),
      LAG,
      WALL_MS,
    );
    expect(sentence).toBe("n1 is the primary; n3 can take over, 1000 B behind");
    expect(warnings).toEqual([
      "the cluster is paused, until it is resumed: no failover",
      "n2 is 9.5 MB behind and must not take over",
      "n1: a restart is pending (a 1 → 2)",
    ]);
  });
});
