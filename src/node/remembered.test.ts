// What does a node carry from one life to the next?
import { describe, expect, it } from "vitest";
import { SILENT_LOG } from "../../test/support/keeper-stage.ts";
import { BLANK_STATE } from "../../test/support/node-state.ts";
import { cluster, following, given } from "../../test/support/world.ts";
import type { ClusterSnapshot } from "../model/cluster.ts";
import { DEFAULT_CONFIG } from "../model/config.ts";
import { AppError } from "../model/error.ts";
import type { NodeState } from "../ports/node-state.ts";
import type { NodePorts } from "./node.ts";
import { durableLeaseId, firstConfig, rememberedConfig, StoreNotes } from "./remembered.ts";

function nodeWith(state: Partial<NodeState> = {}, isFull = false) {
  let current: NodeState = { ...BLANK_STATE, ...state };
  const writes: Partial<NodeState>[] = [];
  const ports: Pick<NodePorts, "state" | "random" | "log"> = {
    state: {
      current: () => current,
      update(change) {
        if (isFull) return Promise.reject(new AppError("PG_DISK_FULL", "writing the state"));
        writes.push(change);
        current = { ...current, ...change };
        return Promise.resolve();
      },
    },
    random: { integer: () => 4, leaseId: () => "4711" },
    log: SILENT_LOG,
  };
  return { ports: ports as NodePorts, writes };
}

const seenAt = (revision: number, config = DEFAULT_CONFIG) => {
  const w = given(
    following(),
    cluster((c) => ({
      header: { ...c.header, revision },
      config: { value: config, modRevision: 2 },
    })),
  );
  if (w.store.kind !== "known") throw new Error("the store is known");
  return w.store.value;
};

describe("the lease id", () => {
  it("is written down before it is used, and is the same ever after (R10)", async () => {
    const { ports, writes } = nodeWith();
    expect(await durableLeaseId(ports)).toBe("4711");
    expect(await durableLeaseId(ports)).toBe("4711");
    expect(writes).toEqual([{ leaseId: "4711" }]);
    await expect(durableLeaseId(nodeWith({}, true).ports)).rejects.toThrow("disk is full");
    expect(await durableLeaseId(nodeWith({ leaseId: "12" }).ports)).toBe("12");
  });
});

describe("the configuration", () => {
  it("is the last good one, else what the file would begin with, else the default (R44)", () => {
    const first = { ttl: 20 };
    expect(rememberedConfig(nodeWith({ config: '{"ttl":30}' }).ports, first).ttlMs).toBe(30_000);
    expect(rememberedConfig(nodeWith().ports, first).ttlMs).toBe(20_000);
    expect(rememberedConfig(nodeWith({ config: "broken" }).ports, first)).toEqual(DEFAULT_CONFIG);
  });

  it("of a new cluster says everything that is otherwise implied", () => {
    expect(firstConfig({ ttl: 20, postgresql: { use_slots: false } })).toMatchObject({
      ttl: 20,
      loop_wait: 2,
      check_timeline: true,
      postgresql: { use_slots: false },
    });
  });
});

describe("the store", () => {
  it("is noted when it is new, has gone far, or says something else", async () => {
    const { ports, writes } = nodeWith();
    const notes = new StoreNotes(ports);
    await notes.saw(seenAt(600), DEFAULT_CONFIG);
    await notes.saw(seenAt(799), DEFAULT_CONFIG);
    expect(writes).toMatchObject([{ store: { clusterId: "c", revision: 600 }, config: "{}" }]);
    await notes.saw(seenAt(800), DEFAULT_CONFIG);
    const changed = { ...DEFAULT_CONFIG, raw: { ttl: 20 } };
    await notes.saw(seenAt(801, changed), changed);
    expect(writes.slice(1)).toMatchObject([
      { store: { clusterId: "c", revision: 800 }, config: "{}" },
      { store: { clusterId: "c", revision: 801 }, config: '{"ttl":20}' },
    ]);
  });

  it("is noted with who led last, in which term, and who could have led since (R31)", async () => {
    const { ports, writes } = nodeWith();
    const notes = new StoreNotes(ports);
    await notes.saw(seenAt(600), DEFAULT_CONFIG);
    const hold = { ...seenAt(601).hold, holder: "n2", term: 300 } as ClusterSnapshot["hold"];
    await notes.saw({ ...seenAt(601), hold }, DEFAULT_CONFIG);
    expect(writes.map(({ store }) => store)).toMatchObject([
      { leader: { name: "n1", term: 100 }, members: { n2: "http://n2.example:8008" } },
      { leader: { name: "n2", term: 300 }, branchTerm: 100 },
    ]);
  });

  it("may be forgotten on a full disk: the agent lives on", async () => {
    const { ports } = nodeWith({}, true);
    await expect(new StoreNotes(ports).saw(seenAt(600), DEFAULT_CONFIG)).resolves.toBeUndefined();
  });
});
