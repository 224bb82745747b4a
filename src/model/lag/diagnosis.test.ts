import { describe, expect, it } from "vitest";
import { activity, type Behind, lagCase, MB, receiver } from "../../../test/support/lag-samples.ts";
import type { LagCause } from "./case.ts";
import { diagnose } from "./diagnosis.ts";
import { disagreements } from "./disagreement.ts";

const REPLAY: Behind = { at: "replay", bytes: 40 * MB, ms: 20_000 };
const QUERY = { pid: 77, user: "report", application: "", ageMs: 60_000, blocks: false };

const cases: readonly (readonly [LagCause, ReturnType<typeof lagCase>])[] = [
  ["idle", lagCase(undefined, { of: { stillMs: 60_000 } })],
  ["caught_up", lagCase()],
  ["caught_up", lagCase({ at: "replay", bytes: 400 * MB, ms: 1_500 })],
  ["caught_up", lagCase({ at: "replay", bytes: 1 * MB, ms: 4_900 })],
  ["unknown", lagCase(undefined, { of: { sent: undefined, own: undefined } })],
  [
    "disconnected",
    { ...lagCase(), sent: undefined, own: { ...lagCase().own!, receiver: undefined as never } },
  ],
  [
    "disconnected",
    lagCase(undefined, {
      of: { sent: undefined },
      own: { receiver: receiver({}, { messageAgeMs: 20_000 }) },
    }),
  ],
  ["paused", lagCase(REPLAY, { own: { isPaused: true } })],
  [
    "delayed",
    lagCase(REPLAY, {
      own: { applyDelayMs: 60_000, replay: activity({ "Timeout/RecoveryApplyDelay": 1 }) },
    }),
  ],
  [
    "query",
    lagCase(REPLAY, {
      own: { replay: activity({ "IPC/RecoveryConflictSnapshot": 0.9 }), queries: [QUERY] },
    }),
  ],
  [
    "query",
    lagCase(
      { at: "replay", bytes: 2_000, ms: 3_000 },
      { own: { replay: activity({ "Lock/relation": 1 }), queries: [{ ...QUERY, blocks: true }] } },
    ),
  ],
  [
    "conflict",
    lagCase(REPLAY, {
      own: {
        replay: activity({ "IPC/RecoveryConflictSnapshot": 0.3 }),
        cancelled: { snapshot: 4 },
      },
    }),
  ],
  [
    "stopped",
    lagCase(
      { at: "write", bytes: 2 * MB, ms: 8_000 },
      { own: { receiver: receiver({}, { activity: activity({}, { stopped: 1 }) }) } },
    ),
  ],
  ["stopped", lagCase(REPLAY, { own: { replay: activity({}, { stopped: 0.8 }) } })],
  ["replay_cpu", lagCase(REPLAY, { own: { replay: activity({}, { cpu: 0.95 }) } })],
  ["replay_cpu", lagCase(REPLAY, { own: { replay: activity({}, { cpu: 0.02, starved: 0.9 }) } })],
  ["replay_disk", lagCase(REPLAY, { own: { replay: activity({ "IO/DataFileRead": 0.7 }) } })],
  [
    "disk",
    lagCase(
      { at: "flush", bytes: 40 * MB, ms: 9_000 },
      { own: { receiver: receiver({ "IO/WALSync": 0.8 }) } },
    ),
  ],
  [
    "disk",
    lagCase(
      { at: "flush", bytes: 40 * MB, ms: 9_000 },
      { own: { receiver: receiver({ "IO/WalSync": 0.8 }) }, of: { version: 170_002 } },
    ),
  ],
  // A receiver that hangs in fsync reads nothing either: the gap stands further up, and the cause is the disk.
  [
    "disk",
    lagCase(
      { at: "sent", bytes: 40 * MB, ms: 9_000 },
      {
        sent: { sendQueueBytes: 2 * MB },
        own: { receiver: receiver({ "IO/WALSync": 0.8 }, { receiveQueueBytes: 3 * MB }) },
      },
    ),
  ],
  [
    "network",
    lagCase({ at: "write", bytes: 3 * MB, ms: 9_000 }, { sent: { sendQueueBytes: 2 * MB } }),
  ],
  [
    "network",
    lagCase(
      { at: "sent", bytes: 3 * MB, ms: 9_000 },
      { sent: { sendQueueBytes: 2 * MB }, of: { own: undefined } },
    ),
  ],
  [
    "sender",
    lagCase(
      { at: "sent", bytes: 300 * MB, ms: 90_000 },
      {
        sent: { sender: activity({}, { cpu: 0.9 }) },
      },
    ),
  ],
  ["unclear", lagCase(REPLAY, { own: { replay: activity({}, { cpu: 0.05, starved: 0.05 }) } })],
  // Two looks are not enough to blame anybody.
  ["unclear", lagCase(REPLAY, { own: { replay: activity({}, { cpu: 0.95, samples: 2 }) } })],
];

describe("the cause of a lag", () => {
  it.each(cases)("is %s", (cause, of) => {
    const found = diagnose(of);
    expect(found.cause).toBe(cause);
    const isFine = cause === "idle" || cause === "caught_up";
    const bad = cause === "delayed" ? "note" : "trouble";
    expect(found.weight).toBe(isFine ? "fine" : bad);
    expect(found.sentence).toContain("n2");
    expect(found.remedy.length > 0).toBe(!isFine);
    expect(found.evidence.length > 0).toBe(!isFine && cause !== "unknown");
  });

  it("names who holds replay back, and how to end that", () => {
    const { sentence, remedy } = diagnose(cases[9]![1]);
    expect(sentence).toContain("pid 77 of report");
    expect(remedy[0]).toContain("pg_cancel_backend(77)");
  });

  it("is no trouble at the first look at a standby that does not receive yet", () => {
    const { own, ...rest } = lagCase(undefined, { of: { sent: undefined } });
    const { receiver: _, ...deaf } = own!;
    const at = (steadyMs: number) =>
      diagnose({ ...rest, own: deaf, ownLook: { ageMs: 0, steadyMs } });
    expect(at(0)).toMatchObject({ cause: "disconnected", weight: "note" });
    expect(at(500)).toMatchObject({ cause: "disconnected", weight: "trouble" });
  });

  it("advises only what the version can do, and never fewer indexes on a standby", () => {
    const old = diagnose({
      ...cases.find(([cause]) => cause === "replay_disk")![1],
      version: 140_005,
    });
    expect(old.remedy.join(" ")).not.toContain("recovery_prefetch");
    const slow = diagnose({
      ...cases.find(([cause]) => cause === "network")![1],
      version: 140_005,
    });
    expect(slow.remedy.join(" ")).not.toContain("zstd");
    const all = cases.flatMap(([, of]) => diagnose(of).remedy).join("\n");
    expect(all).not.toMatch(/indexes on the standby|indexes there that the standby/);
  });
});

describe("two sides that disagree", () => {
  it("is a walsender without a walreceiver, and the other way round", () => {
    const { own, ...rest } = lagCase();
    const { receiver: _, ...deaf } = own!;
    expect(disagreements({ ...rest, own: deaf })[0]).toContain("no walreceiver runs there");
    expect(disagreements({ ...lagCase(), sent: undefined })[0]).toContain("shows no walsender");
  });

  it("is no stream that one side has seen begin or end, and the other has not looked since", () => {
    const { own, ...rest } = lagCase();
    const { receiver: _, ...deaf } = own!;
    const sides = [
      { ...rest, own: deaf },
      { ...lagCase(), sent: undefined },
    ];
    const before = { ageMs: 4_500, steadyMs: 20_000 };
    const after = { ageMs: 500, steadyMs: 3_000 };
    for (const side of sides) {
      expect(disagreements({ ...side, upstreamLook: before, ownLook: after })).toEqual([]);
      expect(disagreements({ ...side, upstreamLook: after, ownLook: before })).toEqual([]);
      // Five seconds later both have looked again and say the same as before.
      const later = { ageMs: 500, steadyMs: 8_000 };
      expect(disagreements({ ...side, upstreamLook: before, ownLook: later })).toHaveLength(1);
      expect(disagreements({ ...side, upstreamLook: later, ownLook: before })).toHaveLength(1);
    }
  });

  it("is nothing while the server that it streams from is not known", () => {
    const alone = { ...lagCase(), sent: undefined, upstreamLook: undefined };
    expect(disagreements(alone)).toEqual([]);
  });

  it("is a standby that was not heard of for long", () => {
    const silent = lagCase(undefined, { sent: { replyAgeMs: 34_000 } });
    expect(disagreements(silent)[0]).toContain("heard nothing from n2 for 34 s");
  });

  it("is a replay position that is far from what the other side has", () => {
    const { own, ...rest } = lagCase();
    const replay = { ...own!.stages.replay, lsn: "0/9000000" };
    const far = { ...rest, own: { ...own!, stages: { ...own!.stages, replay } } };
    expect(disagreements(far)[0]).toContain("128 MB");
  });

  it("is nothing while they say the same, or while only one speaks", () => {
    expect(disagreements(lagCase())).toEqual([]);
    expect(disagreements(lagCase(undefined, { of: { own: undefined } }))).toEqual([]);
  });
});
