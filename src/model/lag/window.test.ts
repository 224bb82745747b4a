import { describe, expect, it } from "vitest";
import {
  MB,
  processSample,
  sampleAt,
  senderSample,
  standbySample,
} from "../../../test/support/lag-samples.ts";
import { lsn } from "../lsn.ts";
import { instant } from "../time.ts";
import type { ReplicationSample } from "./sample.ts";
import { EMPTY_WINDOW, isBusy, reportOf, withSample } from "./window.ts";

const windowOf = (...samples: readonly ReplicationSample[]) =>
  samples.reduce(withSample, EMPTY_WINDOW);
const reportFrom = (...samples: readonly ReplicationSample[]) => {
  const report = reportOf(windowOf(...samples), samples.at(-1)?.at ?? instant(0));
  if (report === undefined) throw new Error("there is no report");
  return report;
};

describe("the stages of a standby", () => {
  it("are what is held up at each, and how long it has been there", () => {
    const moving = (ms: number, end: number) =>
      sampleAt(ms, end, {
        senders: [
          senderSample(0, {
            sent: lsn(900),
            write: lsn(700),
            flush: lsn(700),
            replay: lsn(100),
          }),
        ],
      });
    const [one] = reportFrom(moving(0, 50), moving(1_000, 800), moving(5_000, 1_000)).standbys;
    expect(one?.stages).toMatchObject({
      sent: { gapBytes: 100, behindBytes: 100 },
      write: { gapBytes: 200, behindBytes: 300, behindMs: 4_000 },
      flush: { gapBytes: 0, gapMs: 0, behindBytes: 300 },
      replay: { gapBytes: 600, gapMs: 0, behindBytes: 900, behindMs: 4_000 },
    });
  });

  it("are all empty on an idle primary", () => {
    const idle = (ms: number) => sampleAt(ms, 500, { senders: [senderSample(500)] });
    const report = reportFrom(idle(0), idle(60_000), idle(600_000));
    expect(report.walPerSecond).toBe(0);
    expect(report.standbys[0]?.stages.replay).toMatchObject({ behindBytes: 0, behindMs: 0 });
    expect(report.standbys[0]?.catchUpMs).toBe(0);
  });

  it("tell a standby's own view against the end that its upstream names", () => {
    const { receiver } = standbySample(900);
    const standby = standbySample(900, {
      receiver: { ...receiver!, latestEnd: lsn(1_000), written: lsn(950) },
      replayed: lsn(200),
    });
    const { own } = reportFrom(sampleAt(0, 900, { standby }));
    expect(own?.stages).toMatchObject({
      write: { gapBytes: 50 },
      flush: { gapBytes: 50 },
      replay: { gapBytes: 700, behindBytes: 800, atLeast: true },
    });
  });
});

describe("a trend", () => {
  const lagging = (ms: number, behind: number) =>
    sampleAt(ms, 100 * MB, { senders: [senderSample(0, { replay: lsn(100 * MB - behind) })] });

  it("says when a standby that comes nearer will be there", () => {
    const [one] = reportFrom(lagging(0, 20 * MB), lagging(10_000, 10 * MB)).standbys;
    expect(one?.trendPerSecond).toBe(-MB);
    expect(one?.catchUpMs).toBe(10_000);
  });

  it("promises nothing to one that does not", () => {
    const [one] = reportFrom(lagging(0, 10 * MB), lagging(10_000, 20 * MB)).standbys;
    expect(one?.trendPerSecond).toBe(MB);
    expect(one).not.toHaveProperty("catchUpMs");
  });
});

describe("what a process did", () => {
  const startup = (ms: number, change: Parameters<typeof processSample>[0]) =>
    sampleAt(ms, 0, {
      standby: standbySample(0, { startup: processSample({ pid: 20, ...change }) }),
    });

  it("is told in shares of the last looks and of the time", () => {
    const { own } = reportFrom(
      startup(0, { waits: "IO/WALRead", state: "D", cpuMs: 100, starvedMs: 0 }),
      startup(1_000, { waits: "", state: "R", cpuMs: 600, starvedMs: 250 }),
      startup(2_000, { waits: "", state: "R", cpuMs: 1_100, starvedMs: 500 }),
    );
    expect(own?.replay).toEqual({
      pid: 20,
      samples: 3,
      waits: { "IO/WALRead": 0.33 },
      working: 0.67,
      onDisk: 0.33,
      stopped: 0,
      cpu: 0.5,
      starved: 0.25,
    });
  });

  it("is nothing of what its predecessor did", () => {
    const { own } = reportFrom(
      startup(0, { waits: "IO/WALRead", cpuMs: 9_000 }),
      startup(1_000, { pid: 99, waits: "", cpuMs: 10 }),
    );
    expect(own?.replay).toMatchObject({ pid: 99, samples: 1, waits: {}, working: 1 });
    expect(own?.replay).not.toHaveProperty("cpu");
  });
});

it("knows since when the same streams are there, and that a new process is another stream", () => {
  const fed = (ms: number, ...pids: readonly number[]) =>
    sampleAt(ms, 0, {
      senders: pids.map((pid) => senderSample(0, { process: processSample({ pid }) })),
    });
  expect(reportFrom(fed(0), fed(5_000), fed(10_000)).steadyMs).toBe(10_000);
  expect(reportFrom(fed(0), fed(5_000, 10), fed(10_000, 10)).steadyMs).toBe(5_000);
  expect(reportFrom(fed(0, 10), fed(5_000, 11)).steadyMs).toBe(0);
  const standby = (ms: number, receives: boolean) => {
    const { receiver, ...deaf } = standbySample(0);
    return sampleAt(ms, 0, { standby: { ...deaf, receiver: receives ? receiver : undefined } });
  };
  expect(reportFrom(standby(0, false), standby(5_000, true)).steadyMs).toBe(0);
});

it("counts queries that were cancelled in the last two minutes, through a restart as well", () => {
  const conflicts = (ms: number, snapshot: number) =>
    sampleAt(ms, 0, { standby: standbySample(0, { conflicts: { snapshot, lock: 3 } }) });
  expect(reportFrom(conflicts(0, 5), conflicts(60_000, 7)).own?.cancelled).toEqual({ snapshot: 2 });
  expect(reportFrom(conflicts(0, 5), conflicts(180_000, 7)).own?.cancelled).toEqual({});
  expect(reportFrom(conflicts(0, 5), conflicts(60_000, 1)).own?.cancelled).toEqual({});
});

it("is busy while somebody is behind, and calm otherwise", () => {
  const behind = (bytes: number) =>
    reportFrom(sampleAt(0, 9 * MB, { senders: [senderSample(9 * MB - bytes)] }));
  expect(isBusy(reportFrom(sampleAt(0, 9 * MB)))).toBe(false);
  expect(isBusy(behind(0))).toBe(false);
  expect(isBusy(behind(2 * MB))).toBe(true);
});
