// A store that has lost the cluster is told about it by this member: what is looked at, and what is written (R31).
import type { NodeSettings } from "../model/settings.ts";
import type { Ms } from "../model/time.ts";
import type { Node } from "../node/node.ts";
import { planRepopulation, type Repopulation } from "../node/repopulation.ts";
import type { Clock } from "../ports/clock.ts";
import type { NodeStateFile } from "../ports/node-state.ts";
import type { Peers } from "../ports/peers.ts";
import type { Random } from "../ports/random.ts";
import type { RepopulateOutcome, RepopulateWish } from "./api/node-view.ts";

export interface RepopulateOptions {
  readonly node: Node;
  readonly settings: NodeSettings;
  readonly clock: Clock;
  readonly random: Random;
  readonly state: NodeStateFile;
  readonly peers: Peers;
}

const STORE_LIMIT_MS: Ms = 3_000;
const PEER_LIMIT_MS: Ms = 2_000;

/** Judges on a fresh look at everything; writes only when told to, compared with that very look. Throws STORE_… */
export async function repopulate(
  o: RepopulateOptions,
  wish: RepopulateWish,
): Promise<RepopulateOutcome> {
  const { store, plan } = await judge(o, wish);
  if (plan.kind === "refused") return plan;
  const { facts } = plan;
  if (wish.isDryRun) return { kind: "possible", facts };
  const written = await o.node.dcs.repopulate(store, facts, STORE_LIMIT_MS);
  if (written === "refused") {
    const why = "somebody has written to the store meanwhile";
    return { kind: "refused", why, next: "look at it, and say it again" };
  }
  o.node.wake("the store was repopulated");
  return { kind: "written", facts };
}

async function judge(o: RepopulateOptions, { without }: RepopulateWish) {
  const { name } = o.settings;
  const { store: record, config, promisedTerm } = o.state.current();
  const others = Object.entries(record?.members ?? {}).filter(([other]) => other !== name);
  const [store, ...answers] = await Promise.all([
    o.node.dcs.snapshot(STORE_LIMIT_MS),
    ...others.map(async ([other, url]) => [other, await o.peers.ask(url, PEER_LIMIT_MS)] as const),
  ]);
  const last = o.node.last()?.world;
  const plan: Repopulation =
    last === undefined
      ? { kind: "refused", why: "this member has not looked around yet", next: "say it again" }
      : planRepopulation({
          self: last.self,
          scope: o.settings.scope,
          store,
          record,
          configJson: config,
          promisedTerm,
          holdsLease: o.node.lease().held !== undefined,
          unguardedSince: o.node.fence().unguarded,
          server: last.server,
          peers: Object.fromEntries(answers),
          without,
          id: o.random.leaseId(),
        });
  return { store, plan };
}
