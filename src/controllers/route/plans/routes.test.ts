// Who serves which clients?
import { describe, expect, it } from "vitest";
import { cluster, END, following, given, TERM } from "../../../../test/support/world.ts";
import type { ClusterSnapshot } from "../../../model/cluster.ts";
import { lsn } from "../../../model/lsn.ts";
import type { Member } from "../../../model/member.ts";
import { planRoutes } from "./routes.ts";

const SETTINGS = { maxLagBytes: 16, maxReportLagBytes: 64, readsFromPrimary: false };

function seen(change: (c: ClusterSnapshot) => Partial<ClusterSnapshot> = () => ({})) {
  const w = given(following(), cluster(change));
  if (w.store.kind !== "known") throw new Error("the store is known");
  return w.store.value;
}

const withMember =
  (name: string, change: Partial<Member>) =>
  (c: ClusterSnapshot): Partial<ClusterSnapshot> => ({
    members: c.members.map((m) => (m.name === name ? { ...m, ...change } : m)),
  });

const plan = (c: ClusterSnapshot, settings = SETTINGS) =>
  planRoutes({ cluster: c, primary: c.leader, settings });

const names = (targets: readonly { readonly name: string; readonly state: string }[]) =>
  targets.map(({ name, state }) => `${name} ${state}`);

describe("the plan of a healthy cluster", () => {
  it("writes to the primary of the term, reads and reports from the standbys", () => {
    const routes = plan(seen());
    expect(routes.term).toBe(TERM);
    expect(routes.write?.name).toBe("n1");
    expect(names(routes.reads)).toEqual(["n2 ready", "n3 ready"]);
    expect(routes.reports).toEqual(routes.reads);
  });

  it("writes to nobody while no leader has proved itself", () => {
    const routes = planRoutes({ cluster: seen(), primary: undefined, settings: SETTINGS });
    expect(routes.write).toBeUndefined();
    expect(names(routes.reads)).toEqual(["n2 ready", "n3 ready"]);
  });
});

describe("a standby", () => {
  it("that is too far behind, or of unknown position, gets no new readers and keeps those it has", () => {
    const late = withMember("n2", { replayedLsn: lsn(END - 17n), position: lsn(END - 17n) });
    expect(names(plan(seen(late)).reads)).toEqual(["n2 drain", "n3 ready"]);
    const unknown = withMember("n2", { replayedLsn: undefined, position: undefined });
    expect(names(plan(seen(unknown)).reads)).toEqual(["n2 drain", "n3 ready"]);
  });

  it("that does not run, or is tagged noloadbalance, has no readers", () => {
    const down = withMember("n2", { state: "stopped" });
    expect(names(plan(seen(down)).reads)).toEqual(["n3 ready"]);
    const tags = seen().members[1]?.tags;
    if (tags === undefined) throw new Error("n2 is there");
    const shy = withMember("n2", { tags: { ...tags, noloadbalance: true } });
    expect(names(plan(seen(shy)).reads)).toEqual(["n3 ready"]);
  });

  it("tagged for reports serves them alone, unless nobody else is left for reads", () => {
    const tags = seen().members[1]?.tags;
    if (tags === undefined) throw new Error("n2 is there");
    const custom = { report: true };
    const set = withMember("n2", { tags: { ...tags, custom } });
    const routes = plan(seen(set));
    expect(names(routes.reads)).toEqual(["n3 ready"]);
    expect(names(routes.reports)).toEqual(["n2 ready"]);
    const alone = plan(
      seen((c) => ({ members: (set(c).members ?? []).filter((m) => m.name !== "n3") })),
    );
    expect(names(alone.reads)).toEqual(["n2 ready"]);
  });

  it("tagged for reports may be further behind for those, because its replay waits for them", () => {
    const tags = seen().members[1]?.tags;
    if (tags === undefined) throw new Error("n2 is there");
    const behind = (bytes: bigint) => {
      const replayedLsn = lsn(END - bytes);
      return seen(withMember("n2", { tags: { ...tags, custom: { report: true } }, replayedLsn }));
    };
    expect(names(plan(behind(20n)).reports)).toEqual(["n2 ready"]);
    expect(names(plan(behind(80n)).reports)).toEqual(["n2 drain"]);
  });
});

it("reads go to the primary only where that is wanted, and while no standby is fresh enough", () => {
  const alone = seen((c) => ({ members: c.members.filter((m) => m.name === "n1") }));
  expect(plan(alone).reads).toEqual([]);
  const wanted = { ...SETTINGS, readsFromPrimary: true };
  expect(names(plan(alone, wanted).reads)).toEqual(["n1 ready"]);
  expect(names(plan(seen(), wanted).reads)).toEqual(["n2 ready", "n3 ready"]);
});
