// Lies about a pause: what the store was told, what it says, and whether the fence took its word back.
import type { NodePorts } from "../node/node.ts";
import type { KeyValue } from "../ports/store.ts";
import type { SimHost } from "./host.ts";
import { fenceWith } from "./mutants-fence.ts";
import { isFor, storeWith } from "./mutants-store.ts";

const KEY = "unguarded";

/** Disarmed before recorded: the record is claimed, not written, and read as if it stood there. */
export function recordsNothing(ports: NodePorts): NodePorts {
  const { store } = ports;
  let claimed: KeyValue | undefined;
  return {
    ...ports,
    store: storeWith(store, {
      async range(prefix, options) {
        const range = await store.range(prefix, options);
        return claimed === undefined ? range : { ...range, entries: [...range.entries, claimed] };
      },
      async commit(compares, writes, options) {
        const record = writes.find((w) => isFor(w, KEY));
        if (record === undefined) return store.commit(compares, writes, options);
        const { header } = await store.range(record.key, options);
        const [at, lease] = [header.revision, "0"];
        claimed =
          record.kind === "delete"
            ? undefined
            : { key: record.key, value: record.value, createRevision: at, modRevision: at, lease };
        return { succeeded: true, header };
      },
    }),
  };
}

/** Races before armed: what the store says about another's server is neither read nor compared. */
export function seesNoRecord(ports: NodePorts, { name }: SimHost): NodePorts {
  const { store } = ports;
  const isOther = ({ key, value }: KeyValue): boolean =>
    key.endsWith(`/${KEY}`) && !value.includes(`"member":"${name}"`);
  return {
    ...ports,
    store: storeWith(store, {
      async range(prefix, options) {
        const range = await store.range(prefix, options);
        return { ...range, entries: range.entries.filter((kv) => !isOther(kv)) };
      },
      commit: (compares, writes, options) =>
        store.commit(
          writes.some((w) => isFor(w, "leader"))
            ? compares.filter((c) => !c.key.endsWith(`/${KEY}`))
            : compares,
          writes,
          options,
        ),
    }),
  };
}

/** Resumes without re-arming: the deadline is claimed to stand again. */
export function resumesUnarmed(ports: NodePorts): NodePorts {
  const { fence } = ports;
  let claimed: ReturnType<typeof fence.status>["armed"];
  return {
    ...ports,
    fence: fenceWith(fence, {
      arm(term, until, signal) {
        if (fence.status().unguarded === undefined) return fence.arm(term, until, signal);
        claimed = { term, until };
        return Promise.resolve();
      },
      status() {
        const status = fence.status();
        if (status.unguarded === undefined || claimed === undefined) return status;
        return { ...status, armed: claimed, unguarded: undefined };
      },
    }),
  };
}
