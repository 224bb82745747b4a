// Several nodes and one schedule, over the simulated store: one runs a job, whoever dies, whatever clock is wrong.
import { describe, expect, it } from "vitest";
import { following, given, leading } from "../../../test/support/world.ts";
import { keysOf } from "../../dcs/keys.ts";
import { turnsIn } from "../../dcs/turns.ts";
import type { BackupSettings } from "../../model/repository.ts";
import type { Ending } from "../../model/schedule.ts";
import { USUAL_DRILL } from "../../model/settings-drill.ts";
import type { TaskName } from "../../model/worker.ts";
import type { Clock } from "../../ports/clock.ts";
import { agentOn, type Room, room } from "../../sim/testing.ts";
import { backupJobs } from "./backup-jobs.ts";
import { type PlannedJob, ScheduleKeeper } from "./keeper.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const backupWith = (more: Partial<NonNullable<BackupSettings["schedules"]>> = {}) => {
  const place = { kind: "directory", directory: "/srv" } as const;
  const every = { periodMs: HOUR, anchorMs: 0, text: "every 1h", databases: [] };
  const near = { name: "near", place, storage: "disk", offSite: false, required: true };
  const settings: BackupSettings = {
    repositories: [near],
    compression: "zstd",
    recipients: [],
    identityFile: undefined,
    walBudgetBytes: 0,
    drill: USUAL_DRILL,
    schedules: { jobs: { base: every }, waitInPause: false, ...more },
  };
  return settings;
};

interface Seen {
  readonly node: string;
  readonly task: TaskName;
  readonly repo: unknown;
  readonly at: number;
  how: "running" | "done" | "ended";
}

/** What the nodes of one test run, in the order in which it began. */
class Nodes {
  readonly r: Room = room(3);
  readonly runs: Seen[] = [];
  readonly endings: (readonly [node: string, ending: Ending])[] = [];
  tookMs = 10 * MINUTE;
  fails = false;
  full: string | undefined;

  /** n1 leads, the others stream from it. */
  start(name: string, backup = backupWith()) {
    return this.startWith(name, (clock) => this.jobs(name, clock, backup));
  }

  startWith(name: string, jobs: (clock: Clock) => readonly PlannedJob[]) {
    const { clock, random, log, store, process } = agentOn(this.r, name);
    const keeper = new ScheduleKeeper({
      ...{ name, jobs: jobs(clock), clock, random, log },
      turns: turnsIn(store, keysOf("service", "demo")),
      onEnded: (_, ending) => this.endings.push([name, ending]),
    });
    const world = name === "n1" ? leading() : following();
    keeper.onLook(given(world, (w) => ({ ...w, self: { ...w.self, name } })));
    keeper.start();
    return { keeper, process, clock };
  }

  jobs(node: string, clock: Clock, backup: BackupSettings): readonly PlannedJob[] {
    return backupJobs("demo", backup, async (task, { repo }, signal) => {
      const at = this.r.cluster.kernel.now;
      const seen: Seen = { node, task, repo, at, how: "running" };
      this.runs.push(seen);
      try {
        await clock.sleep(this.tookMs, signal);
      } catch (error) {
        seen.how = "ended";
        throw error;
      }
      if (this.fails || repo === this.full) throw new Error("the repository is full");
      seen.how = "done";
      return {};
    });
  }

  get ran(): readonly string[] {
    return this.runs.map(({ node, how }) => `${node} ${how}`);
  }
}

describe("a schedule that three nodes keep", () => {
  it("is run by one of them, a standby, once for every moment", async () => {
    const nodes = new Nodes();
    for (const name of ["n1", "n2", "n3"]) nodes.start(name);
    await nodes.r.pass(3 * HOUR);
    expect(new Set(nodes.runs.map(({ node }) => node))).toEqual(new Set(["n2"]));
    expect(nodes.runs.length).toBeGreaterThanOrEqual(3);
    const gaps = nodes.runs.slice(2).map(({ at }, n) => at - (nodes.runs[n + 1]?.at ?? 0));
    for (const gap of gaps) expect(Math.abs(gap - HOUR)).toBeLessThan(MINUTE);
  });

  it("goes on with the next node when the runner dies", async () => {
    const nodes = new Nodes();
    nodes.start("n1");
    const second = nodes.start("n2");
    nodes.start("n3");
    await nodes.r.pass(MINUTE);
    expect(nodes.ran).toEqual(["n2 running"]);
    second.process.kill();
    await nodes.r.pass(20 * MINUTE);
    expect(nodes.ran).toEqual(["n2 running", "n3 done"]);
  });

  it("is handed on by a node that leaves", async () => {
    const nodes = new Nodes();
    nodes.start("n1");
    const second = nodes.start("n2");
    await nodes.r.pass(MINUTE);
    await nodes.r.drive(second.keeper.close());
    expect(nodes.ran).toEqual(["n2 ended"]);
    expect(nodes.endings).toMatchObject([["n2", { outcome: "handed-on" }]]);
    await nodes.r.pass(20 * MINUTE);
    expect(nodes.ran).toEqual(["n2 ended", "n1 done"]);
  });

  it("stops a runner that the store does not answer, before another one begins", async () => {
    const nodes = new Nodes();
    for (const name of ["n1", "n2", "n3"]) nodes.start(name);
    await nodes.r.pass(MINUTE);
    for (const [from, to] of [
      ["n2", "etcd:2379"],
      ["etcd:2379", "n2"],
    ] as const)
      nodes.r.cluster.network.cut(from, to);
    await nodes.r.pass(20 * MINUTE);
    expect(nodes.ran).toEqual(["n2 ended", "n3 done"]);
  });

  it("tries again what failed, three times in all, and warns on every node", async () => {
    const nodes = new Nodes();
    nodes.fails = true;
    const all = ["n1", "n2", "n3"].map((name) => nodes.start(name));
    nodes.tookMs = MINUTE;
    await nodes.r.pass(40 * MINUTE);
    expect(nodes.runs).toHaveLength(3);
    const view = await nodes.r.drive(all[0]?.keeper.view() ?? Promise.reject(new Error()));
    expect(view.items).toMatchObject([{ job: "base", last: { attempt: 3, outcome: "failed" } }]);
    expect(view.warnings).toEqual([expect.stringContaining("the repository is full")]);
  });

  it("gives each repository its turn, whichever of them fails", async () => {
    const nodes = new Nodes();
    nodes.full = "near";
    nodes.tookMs = MINUTE;
    const backup = backupWith();
    const [near] = backup.repositories;
    if (near === undefined) throw new Error("there is no repository");
    nodes.start("n1", { ...backup, repositories: [near, { ...near, name: "far" }] });
    await nodes.r.pass(5 * MINUTE);
    expect(nodes.runs.map(({ repo, how }) => [repo, how])).toEqual([
      ["near", "running"],
      ["far", "done"],
    ]);
    const why = expect.stringContaining("the repository is full");
    expect(nodes.endings).toEqual([["n1", { outcome: "failed", why }]]);
  });

  it("runs each moment at most once a node when one clock is a year ahead", async () => {
    const nodes = new Nodes();
    nodes.r.cluster.host("n2").clock.stepWall(365 * 24 * HOUR);
    for (const name of ["n1", "n2", "n3"]) nodes.start(name);
    await nodes.r.pass(5 * HOUR);
    const right = nodes.runs.filter(({ node }) => node !== "n2");
    expect(right.length).toBeGreaterThanOrEqual(5);
    expect(nodes.runs.length).toBeLessThanOrEqual(3 * 6);
  });

  it("waits in a pause only where it is written", async () => {
    const nodes = new Nodes();
    const { keeper, clock } = nodes.start("n1", backupWith({ waitInPause: true }));
    const alone = given(leading(), (w) => ({ ...w, config: { ...w.config, paused: true } }));
    keeper.onLook(alone);
    await nodes.r.pass(2 * HOUR);
    expect(nodes.ran).toEqual([]);
    keeper.reconfigure(nodes.jobs("n1", clock, backupWith()));
    await nodes.r.pass(HOUR);
    expect(nodes.ran.length).toBeGreaterThanOrEqual(1);
  });

  it("asks the store nothing between two moments", async () => {
    const nodes = new Nodes();
    nodes.tookMs = 1_000;
    const day = { periodMs: 24 * HOUR, anchorMs: 0, text: "", databases: [] };
    nodes.start("n1", backupWith({ jobs: { base: day } }));
    await nodes.r.pass(5 * MINUTE);
    const before = nodes.r.cluster.store.header().revision;
    await nodes.r.pass(5 * HOUR);
    expect(nodes.r.cluster.store.header().revision).toBe(before);
  });
});

describe("a job with a window", () => {
  const START = room(1).cluster.host("n1").clock.wallMs();
  /** The room's clocks begin five minutes before its moment. */
  const windowed = (made: string[], node: string, clock: Clock): readonly PlannedJob[] => [
    {
      name: "game-day",
      about: "a failover on purpose",
      schedule: {
        ...{ periodMs: 7 * DAY, anchorMs: START + 5 * MINUTE },
        ...{ windowMs: 30 * MINUTE, text: "" },
      },
      waitsInPause: false,
      async carryOut(signal) {
        made.push(node);
        await clock.sleep(3 * MINUTE, signal);
        return { outcome: "done" };
      },
    },
  ];

  it("is made once by one of three, and not by a node that came after its moment", async () => {
    const nodes = new Nodes();
    const made: string[] = [];
    const start = (name: string) => nodes.startWith(name, (clock) => windowed(made, name, clock));
    for (const name of ["n1", "n2"]) start(name);
    await nodes.r.pass(7 * MINUTE);
    start("n3");
    await nodes.r.pass(2 * HOUR);
    expect(made).toEqual(["n2"]);
  });

  it("is not made again when its runner dies: that is noted by another", async () => {
    const nodes = new Nodes();
    const made: string[] = [];
    const start = (name: string) => nodes.startWith(name, (clock) => windowed(made, name, clock));
    const { keeper } = start("n1");
    const second = start("n2");
    await nodes.r.pass(6 * MINUTE);
    second.process.kill();
    await nodes.r.pass(2 * HOUR);
    expect(made).toEqual(["n2"]);
    const view = await nodes.r.drive(keeper.view());
    const why = "n2 ran it and is gone";
    expect(view.items).toMatchObject([{ last: { by: "n1", outcome: "skipped", why } }]);
  });

  it("is noted as skipped when a long job was in its way", async () => {
    const nodes = new Nodes();
    const made: string[] = [];
    nodes.tookMs = MINUTE;
    const almost = { periodMs: 7 * DAY, anchorMs: START - 10 * MINUTE, text: "", databases: [] };
    const { keeper } = nodes.startWith("n1", (clock) => [
      ...windowed(made, "n1", clock),
      ...nodes.jobs("n1", clock, backupWith({ jobs: { base: almost } })),
    ]);
    await nodes.r.pass(HOUR);
    nodes.tookMs = 2 * HOUR;
    await nodes.r.pass(7 * DAY + 2 * HOUR);
    expect([made, nodes.ran]).toEqual([["n1"], ["n1 done", "n1 done"]]);
    const view = await nodes.r.drive(keeper.view());
    const why = "nobody could begin it in its window";
    expect(view.items).toMatchObject([{ last: { outcome: "skipped", why } }, {}]);
  });
});
