import { describe, expect, it } from "vitest";
import {
  type AdoptedMember,
  type AdoptionView,
  changingDefaults,
  objectionsTo,
  planAdoption,
  storeSectionIn,
} from "./adoption.ts";

const PATRONI = { isOurs: false, version: "3.0.2" };
const OURS = { isOurs: true, version: "4.1.4" };

const member = (name: string, change: Partial<AdoptedMember> = {}): AdoptedMember => ({
  name,
  leads: false,
  isSynchronous: false,
  state: "running",
  timeline: 1,
  lagBytes: 0,
  address: { host: "10.0.0.1", port: 5432 },
  agent: PATRONI,
  ...change,
});
const leader = (name: string, change: Partial<AdoptedMember> = {}): AdoptedMember =>
  member(name, { leads: true, lagBytes: undefined, ...change });

const view = (change: Partial<AdoptionView> = {}): AdoptionView => ({
  scope: "demo",
  storeSection: "etcd3",
  members: [leader("n1"), member("n2"), member("n3")],
  isPaused: false,
  scheduledSwitchover: undefined,
  config: { ttl: 30, loop_wait: 10, retry_timeout: 10 },
  lastEndedTimeline: undefined,
  ...change,
});

const steps = (members: readonly AdoptedMember[]): readonly string[] =>
  planAdoption(view({ members })).map(
    ({ kind, member: name, isDone, to }) =>
      `${isDone ? "done " : ""}${kind} ${name}${to === undefined ? "" : ` to ${to}`}`,
  );

describe("the plan", () => {
  it("replaces standbys first, switches over once, and replaces the former leader last", () => {
    expect(steps([leader("n1"), member("n2"), member("n3")])).toEqual([
      "replace n2",
      "replace n3",
      "switch-over n1 to n2",
      "replace n1",
    ]);
  });

  it("leaves the synchronous standby for last among standbys, and lets it take over", () => {
    expect(steps([leader("n1"), member("n2", { isSynchronous: true }), member("n3")])).toEqual([
      "replace n3",
      "replace n2",
      "switch-over n1 to n2",
      "replace n1",
    ]);
  });

  it("shows what is done, and ends when every agent is ours", () => {
    expect(steps([leader("n1"), member("n2"), member("n3", { agent: OURS })])).toEqual([
      "done replace n3",
      "replace n2",
      "switch-over n1 to n2",
      "replace n1",
    ]);
    expect(steps([leader("n2", { agent: OURS }), member("n1")])).toEqual([
      "done replace n2",
      "replace n1",
    ]);
  });
});

describe("against the next step", () => {
  it("stands nothing in a calm cluster", () => expect(objectionsTo(view())).toEqual([]));

  it("of a switchover stands a lag that clients would notice, in the heir alone", () => {
    const among = (behind: string) =>
      objectionsTo(
        view({
          members: [
            leader("n1"),
            ...["n2", "n3"].map((name) =>
              member(name, { agent: OURS, lagBytes: name === behind ? 2_000_000 : 0 }),
            ),
          ],
        }),
      ).map(({ what }) => what);
    expect(among("n2")).toEqual(["n2 is 2000000 bytes behind"]);
    expect(among("n3")).toEqual([]);
  });

  it.each<[string, Partial<AdoptionView>]>([
    ["v2 API", { storeSection: "etcd" }],
    ["ttl is 10", { config: { ttl: 10 } }],
    ["follows another site", { config: { standby_cluster: { host: "x" } } }],
    ["paused", { isPaused: true }],
    ["scheduled", { scheduledSwitchover: "2026-11-30T04:00:00Z" }],
    ["nobody leads", { members: [member("n1"), member("n2")] }],
    ["no standby", { members: [leader("n1")] }],
    [
      "timeline 3",
      { members: [leader("n1", { timeline: 3 }), member("n2")], lastEndedTimeline: 1 },
    ],
    ["does not answer", { members: [leader("n1"), member("n2", { agent: undefined })] }],
    ["n2 is start failed", { members: [leader("n1"), member("n2", { state: "start failed" })] }],
    ["behind", { members: [leader("n1"), member("n2", { lagBytes: 1e9 })] }],
  ])("stands: %s", (words, change) => {
    const found = objectionsTo(view(change));
    expect(found.map(({ what }) => what)).toEqual([expect.stringContaining(words)]);
    expect(found[0]?.next).not.toBe("");
  });

  it("stands a planned switchover, with the words that take it back in this cluster", () => {
    const planned = view({ scope: "orders", scheduledSwitchover: "2026-11-30T04:00:00Z" });
    expect(objectionsTo(planned)[0]?.next).toBe("patronictl flush orders switchover");
  });

  it("stands no old section of the file once every agent is ours", () => {
    const members = [leader("n1", { agent: OURS }), member("n2", { agent: OURS })];
    expect(objectionsTo(view({ storeSection: "etcd", members }))).toEqual([]);
  });
});

it("names the settings whose absence changes its meaning", () => {
  expect(changingDefaults(view())).toEqual([
    "check_timeline is not written: false now, true afterwards",
    "failsafe_mode is not written: false now, true afterwards",
  ]);
});

it("finds the section of the store in the file and among Patroni's variables", () => {
  const variables = { PATRONI_ETCD_HOSTS: "e1:2379" };
  expect(storeSectionIn("scope: x\netcd: {hosts: 'e1:2379'}\n", {})).toBe("etcd");
  expect(storeSectionIn("scope: x\n", variables)).toBe("etcd");
  expect(storeSectionIn("etcd3: {}\n", { PATRONI_ETCD3_HOSTS: "e1:2379" })).toBe("etcd3");
});
