// Who may tell a store that has lost the cluster about it, and what is it told?
import { describe, expect, it } from "vitest";
import {
  BRANCH_2,
  BRANCH_3,
  END,
  LINEAGE,
  leading,
  peerStatus,
  ROSTER,
  SYSTEM_ID,
  TERM,
  unborn,
} from "../../test/support/world.ts";
import { known, unknown } from "../model/known.ts";
import { lsn } from "../model/lsn.ts";
import type { PeerStatus } from "../model/member.ts";
import { recordOf } from "../model/store-record.ts";
import { instant } from "../model/time.ts";
import { planRepopulation, type RepopulationFacts } from "./repopulation.ts";

const snapshotOf = (w: ReturnType<typeof leading>) => {
  if (w.store.kind !== "known") throw new Error("the store of this world is known");
  return w.store.value;
};
const lost = {
  ...snapshotOf(unborn()),
  header: { clusterId: "other", revision: 2, raftTerm: 1 },
  leader: undefined,
  hold: undefined,
};
const peer = (change: Partial<PeerStatus> = {}) => known(peerStatus("n2", change), instant(0));
const silent = unknown("limit", instant(0));

const facts = (change: Partial<RepopulationFacts> = {}): RepopulationFacts => ({
  self: leading().self,
  unguardedSince: undefined,
  store: lost,
  record: recordOf(snapshotOf(leading()), undefined),
  configJson: '{"ttl":10}',
  promisedTerm: undefined,
  holdsLease: false,
  server: leading().server,
  peers: { n2: peer(), n3: peer({ name: "n3" }) },
  without: [],
  id: "random",
  ...change,
});
const why = (change: Partial<RepopulationFacts>): string => {
  const plan = planRepopulation(facts(change));
  return plan.kind === "refused" ? plan.why : "possible";
};

describe("the member that led last", () => {
  it("tells its history, its configuration, and that it alone may lead at first", () => {
    expect(planRepopulation(facts())).toEqual({
      kind: "possible",
      facts: {
        succession: { id: "random", systemId: SYSTEM_ID, termBase: TERM, by: "n1" },
        branches: LINEAGE,
        configJson: '{"ttl":10}',
        roster: { n1: ROSTER["n1"] },
        unguarded: undefined,
      },
    });
  });

  it("tells that a pause lets its server run without a deadline, for else it would be ended", () => {
    expect(planRepopulation(facts({ unguardedSince: 90 }))).toMatchObject({
      facts: { unguarded: { member: "n1", term: 90, host: "n1.example", port: 5432 } },
    });
  });

  it("begins above every term that anybody has heard of", () => {
    const base = (change: Partial<RepopulationFacts>) => {
      const plan = planRepopulation(facts(change));
      return plan.kind === "possible" ? plan.facts.succession.termBase : undefined;
    };
    expect(base({ promisedTerm: 120 })).toBe(120);
    expect(base({ peers: { n2: peer({ promisedTerm: 130 }), n3: peer() } })).toBe(130);
    const succession = { id: "old", systemId: SYSTEM_ID, termBase: 140, by: "n1" };
    expect(base({ store: { ...lost, succession: { value: succession, modRevision: 1 } } })).toBe(
      140,
    );
  });

  it("keeps what an older state of the store still knows of other branches", () => {
    const other = { ...BRANCH_3, term: 90 };
    const namesake = { ...BRANCH_2, term: 80 };
    const store = { ...lost, lineage: { value: [namesake, other], modRevision: 1 } };
    expect(planRepopulation(facts({ store }))).toMatchObject({
      facts: { branches: [...LINEAGE, other] },
    });
  });

  it("does so without a member that a person has named as gone", () => {
    const peers = { n2: peer(), n3: silent };
    expect(why({ peers })).toBe("n3 does not answer, and could have led since");
    expect(why({ peers, without: ["n3"] })).toBe("possible");
    expect(why({ without: ["n3"] })).toBe("n3 answers");
    expect(why({ without: ["n9"] })).toBe("n9 is not one of the other members");
  });
});

describe("nobody else", () => {
  it.each<[string, Partial<RepopulationFacts>]>([
    [
      "n2 led last",
      {
        self: { ...leading().self, name: "n3" },
        record: { clusterId: "c", revision: 1, leader: { name: "n2", term: 9 } },
      },
    ],
    ["this member remembers no store", { record: undefined }],
    ["this member still leads", { holdsLease: true }],
    [
      "this member has no data of the cluster",
      { server: { ...leading().server, directory: "empty" } },
    ],
    [
      "n2 is on a newer branch, of term 200",
      { peers: { n2: peer({ lineage: [...LINEAGE, BRANCH_3] }) } },
    ],
    ["n2 has more of the WAL", { peers: { n2: peer({ position: lsn(END + 1n) }) } }],
    ["n2 runs as primary", { peers: { n2: peer({ role: "primary" }) } }],
  ])("%s", (said, change) => expect(why(change)).toBe(said));
});

describe("a restored store", () => {
  it("shows the leader of its time, who says itself that it does not lead", () => {
    const of = (name: string) => ({ ...lost, leader: { name, term: 3, leaseId: "5" } });
    expect([why({ store: of("n2") }), why({ store: of("n1") })]).toEqual(["possible", "possible"]);
  });
});

describe("a store that is not lost", () => {
  it("is left alone", () => {
    expect(why({ store: snapshotOf(leading()) })).toBe("the store knows this cluster");
    const leader = { name: "n2", term: 3, leaseId: "5" };
    const primary = { n2: peer({ role: "primary" }), n3: peer() };
    const holds = "n2 holds the leader key there";
    expect(why({ store: { ...lost, leader }, peers: primary })).toBe(holds);
    expect(why({ store: { ...lost, leader }, peers: { n2: silent, n3: peer() } })).toBe(holds);
    expect(why({ store: { ...lost, leader: { ...leader, name: "n9" } } })).toContain("n9 holds");
    const initialize = { value: "8", modRevision: 1 };
    expect(why({ store: { ...lost, initialize } })).toBe("another cluster lives there: 8");
  });
});
