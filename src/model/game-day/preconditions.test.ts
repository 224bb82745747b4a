// Is every condition of a failover on purpose enforced, with its figure, and is what nobody knows not met?
import { describe, expect, it } from "vitest";
import {
  type ClusterFacts,
  isMet,
  type MemberFacts,
  preconditionsOf,
  type Wish,
} from "./preconditions.ts";

const member = (name: string, change: Partial<MemberFacts> = {}): MemberFacts => ({
  name,
  leads: name === "n1",
  answers: true,
  state: "running",
  replicationState: name === "n1" ? undefined : "streaming",
  lagBytes: 0,
  isSynchronous: false,
  isBarred: false,
  jobs: [],
  hasFence: true,
  ...change,
});

const facts = (change: Partial<ClusterFacts> = {}): ClusterFacts => ({
  members: [member("n1"), member("n2"), member("n3")],
  paused: false,
  synchronousWanted: 0,
  troubles: [],
  budgets: [],
  ...change,
});

const WISH: Wish = { wanted: undefined, maxLagBytes: 1024 * 1024, maxPauseMs: 10_000 };

const unmet = (change: Partial<ClusterFacts>, wish: Partial<Wish> = {}): readonly string[] =>
  preconditionsOf(facts(change), { ...WISH, ...wish })
    .filter((one) => !isMet(one))
    .map(({ what, figure }) => `${what}: ${figure}`);

const withN3 = (change: Partial<MemberFacts>): Partial<ClusterFacts> => ({
  members: [member("n1"), member("n2"), member("n3", change)],
});

describe("the conditions of a failover on purpose", () => {
  it("are all met by a healthy cluster that does nothing else", () => {
    expect(unmet({})).toEqual([]);
  });

  it.each<[string, Partial<ClusterFacts>]>([
    ["every member is well: n3 is silent", withN3({ answers: false, jobs: undefined })],
    ["every member is well: n3 crashed", withN3({ state: "crashed" })],
    [
      "every standby streams: n3 in archive recovery",
      withN3({ replicationState: "in archive recovery" }),
    ],
    ["lag is small: at most 2.0 MB behind, 1.0 MB allowed", withN3({ lagBytes: 2 * 1024 * 1024 })],
    ["lag is small: the lag of n3 is not known", withN3({ lagBytes: undefined })],
    ["every fence answers: n3's does not answer", withN3({ hasFence: false })],
    ["nothing is scheduled: a restart of n3 at tonight", withN3({ scheduledRestart: "tonight" })],
    ["no backup, restore or copy runs: n3: backup-take", withN3({ jobs: ["backup-take"] })],
    ["no backup, restore or copy runs: n3: its jobs are not known", withN3({ jobs: undefined })],
    ["no backup, restore or copy runs: n3: clone", withN3({ step: "clone" })],
    ["no pause: paused", { paused: true }],
    ["no pause: n1 runs without its fence", { unguarded: "n1" }],
    ["nothing is scheduled: a switchover to n2 at tonight", { switchover: "to n2 at tonight" }],
    ["the store can be read: no answer", { storeTrouble: "no answer" }],
    ["no trouble, now or in the last minute: I-1 goes on", { troubles: ["I-1 goes on"] }],
    [
      "no trouble, now or in the last minute: the incidents could not be read",
      { troubles: undefined },
    ],
    [
      "error budget is left for it: 9.0 s of this month's planned part (direct), 10 s allowed for it",
      { budgets: [{ way: "direct", leftMs: 9_000 }] },
    ],
    [
      "a primary leads, and no other site is followed: the cluster follows 10.0.0.1:5432",
      { follows: "10.0.0.1:5432" },
    ],
    ["the synchronous standbys are there: 0, 1 wanted", { synchronousWanted: 1 }],
  ])("say what is wrong: %s", (words, change) => {
    expect(unmet(change)).toContain(words);
  });

  it("count what is spent as nothing left", () => {
    const [words] = unmet({ budgets: [{ way: "direct", leftMs: -5 }] });
    expect(words).toContain("none of this month's planned part");
  });

  it("want a standby that may lead, and the one that is named", () => {
    const barred = { isBarred: true };
    const members = [member("n1"), member("n2", barred), member("n3", barred)];
    expect(unmet({ members })).toEqual(["a standby can take over: none"]);
    expect(unmet(withN3(barred), { wanted: "n3" })).toEqual(["n3 can take over: none"]);
    expect(unmet(withN3(barred), { wanted: "n2" })).toEqual([]);
  });

  it("ask of synchronous standbys only what was asked for", () => {
    const sync = { isSynchronous: true };
    expect(unmet({ ...withN3(sync), synchronousWanted: 1 })).toEqual([]);
    expect(unmet({ ...withN3(sync), synchronousWanted: 1 }, { wanted: "n2" })).toEqual([
      "n2 can take over: none",
    ]);
  });
});
