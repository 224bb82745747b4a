// A store that has lost the cluster is told about it by this member: what is looked at, and what is written (R31).
import type { Ms } from "../model/time.ts";
import type { Node, NodePorts, RepopulateOutcome, RepopulateWish } from "./node.ts";
import { planRepopulation, type Repopulation } from "./repopulation.ts";

type Asked = Pick<Node, "dcs" | "last" | "lease" | "fence" | "wake">;

const STORE_LIMIT_MS: Ms = 3_000;
const PEER_LIMIT_MS: Ms = 2_000;

/** Judges on a fresh look at everything; writes only when told to, compared with that very look. Throws STORE_… */
export async function repopulate(
  ports: NodePorts,
  node: Asked,
  wish: RepopulateWish,
): Promise<RepopulateOutcome> {
  const { store, plan } = await judge(ports, node, wish);
  if (plan.kind === "refused") return plan;
  const { facts } = plan;
  if (wish.isDryRun) return { kind: "possible", facts };
  const written = await node.dcs.repopulate(store, facts, STORE_LIMIT_MS);
  if (written === "refused") {
    const why = "somebody has written to the store meanwhile";
    return { kind: "refused", why, next: "look at it, and say it again" };
  }
  node.wake("the store was repopulated");
  return { kind: "written", facts };
}

async function judge(ports: NodePorts, node: Asked, { without }: RepopulateWish) {
  const last = node.last()?.world;
  const { store: record, config, promisedTerm } = ports.state.current();
  const others = Object.entries(record?.members ?? {}).filter(
    ([other]) => other !== last?.self.name,
  );
  const [store, ...answers] = await Promise.all([
    node.dcs.snapshot(STORE_LIMIT_MS),
    ...others.map(
      async ([other, url]) => [other, await ports.peers.ask(url, PEER_LIMIT_MS)] as const,
    ),
  ]);
  const plan: Repopulation =
    last === undefined
      ? { kind: "refused", why: "this member has not looked around yet", next: "say it again" }
      : planRepopulation({
          self: last.self,
          store,
          record,
          configJson: config,
          promisedTerm,
          holdsLease: node.lease().held !== undefined,
          unguardedSince: node.fence().unguarded,
          server: last.server,
          peers: Object.fromEntries(answers),
          without,
          id: ports.random.leaseId(),
        });
  return { store, plan };
}
