import { describe, expect, it } from "vitest";
import { playFault } from "./faults.ts";
import { room } from "./testing.ts";
import { Workload } from "./workload.ts";

/** Nobody has looked at the store since the backup for so long. */
const UNSEEN_MS = 1_000;

function withBackup() {
  const r = room(1);
  const { cluster } = r;
  const { store, kernel } = cluster;
  const contents = store.state.contents();
  store.backup = { contents, isOldFromMs: kernel.now + UNSEEN_MS };
  store.state.othersWrite(300);
  const workload = new Workload(cluster, { clients: 0, everyMs: 1_000, largestRow: 0 });
  const putBack = () =>
    playFault({ cluster, workload }, { atMs: kernel.now, verb: { do: "olderStore" } });
  return { r, store, contents, putBack };
}

describe("a store that is put back from a backup", () => {
  it("stays as it is while somebody could not tell the old state from its own", () => {
    const { store, contents, putBack } = withBackup();
    putBack();
    expect(store.isForeign).toBe(false);
    expect(store.state.revision).toBeGreaterThan(contents.revision);
  });

  it("is an old one as soon as everybody can tell, and the true one again afterwards", async () => {
    const { r, store, contents, putBack } = withBackup();
    const { revision } = store.state;
    await r.pass(UNSEEN_MS);
    const undo = putBack();
    expect(store.isForeign).toBe(true);
    expect(store.state.revision).toBe(contents.revision);
    undo();
    expect(store.isForeign).toBe(false);
    expect(store.state.revision).toBeGreaterThanOrEqual(revision);
  });
});
