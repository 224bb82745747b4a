// S11: a switchover is not refused because the member that it names was late with an answer.
import type { SimCluster } from "../cluster.ts";
import type { MakeChecker } from "./checker.ts";

/** For less than this a silence says nothing about a member; the leader's own patience is longer. */
const A_MOMENT_MS = 2_500;
const PREFIX = "/service/demo/";

interface Wish {
  readonly candidate: string;
  readonly at: number;
  /** Those whom no word of the candidate can have reached since. */
  readonly unheardBy: Set<string>;
}

export const askedAgain: MakeChecker = ({ cluster, violate, isSynchronous }) => {
  let wish: Wish | undefined;
  cluster.network.onChange(() => {
    for (const host of wish?.unheardBy ?? [])
      if (cluster.network.connects(host, wish?.candidate ?? "")) wish?.unheardBy.delete(host);
  });
  return {
    see(truth, at) {
      if (truth.kind === "stored") {
        const written = truth.writes.find(({ key }) => key === `${PREFIX}failover`);
        if (written === undefined) return;
        wish = written.kind === "put" ? wishIn(cluster, written.value, at) : undefined;
      }
      if (truth.kind !== "decision" || truth.reason !== "switchover_refused") return;
      if (wish === undefined || isSynchronous || hasOtherReasons(cluster)) return;
      const { candidate, unheardBy } = wish;
      if (at > wish.at + A_MOMENT_MS || !unheardBy.has(truth.host)) return;
      if (isKnown(cluster, candidate))
        violate("S11", `${truth.host} refuses a switchover, and has not heard ${candidate} yet`);
    },
  };
};

/** Undefined for what is planned for later, and where nobody is named. */
function wishIn(cluster: SimCluster, text: string, at: number): Wish | undefined {
  const [, candidate] = /"member":"([^"]+)"/.exec(text) ?? [];
  if (candidate === undefined || text.includes("scheduled_at") || !isKnown(cluster, candidate))
    return undefined;
  const others = [...cluster.hosts.keys()].filter((host) => host !== candidate);
  const unheardBy = others.filter((host) => !cluster.network.connects(host, candidate));
  return { candidate, at, unheardBy: new Set(unheardBy) };
}

/** Clients of routers who wait already are reason enough to end it, and so is another site that is followed. */
const hasOtherReasons = ({ routers, options }: SimCluster): boolean =>
  routers.size > 0 || options.otherSite === true;

/** The store shows it as a member, and as one that may lead: nothing but its own word can stand against it. */
function isKnown({ store }: SimCluster, name: string): boolean {
  const { keys } = store.state;
  const list = keys.get(`${PREFIX}known`)?.value;
  return keys.has(`${PREFIX}members/${name}`) && (list?.includes(`"${name}"`) ?? true);
}
