// Is this agent the one that it says it is? Another of its name, or data of another cluster, must not begin.
import { CRITICAL } from "../adapters/system/patroni-line.ts";
import type { ClusterSnapshot } from "../model/cluster.ts";
import { AppError, asAppError } from "../model/error.ts";
import type { NodeSettings } from "../model/settings.ts";
import type { Ms } from "../model/time.ts";
import type { Node } from "../node/node.ts";
import { apiUrlOf } from "../node/self.ts";
import type { Log } from "../ports/log.ts";
import type { Composed } from "./compose.ts";

const CHECK_LIMIT_MS: Ms = 2_000;

/** Throws NAME_IN_USE, PG_SYSTEM_ID_MISMATCH, STORE_REFUSED. A store that can't be read now is tried again later. */
export async function refuseStranger(
  composed: Composed,
  node: Node,
  settings: NodeSettings,
): Promise<void> {
  const cluster = await readCluster(node, composed.ports.log);
  if (cluster === undefined) return;
  await refuseTwin(composed, cluster, settings);
  await refuseOtherCluster(composed, cluster, settings);
}

/** R10: another agent of this name at another address. */
async function refuseTwin(
  { ports }: Composed,
  { members }: ClusterSnapshot,
  { name, rest, log }: NodeSettings,
): Promise<void> {
  const own = apiUrlOf(rest);
  const twin = members.find((m) => m.name === name && m.apiUrl !== own);
  if (twin === undefined) return;
  const answer = await ports.peers.ask(twin.apiUrl, CHECK_LIMIT_MS);
  if (answer.kind === "unknown" || answer.value.name !== name) return;
  if (log.isPatronis)
    ports.log.error(`Can't start; there is already a node named '${name}' running`, CRITICAL);
  throw new AppError("NAME_IN_USE", `starting the agent ${name}`, `one answers at ${twin.apiUrl}`);
}

/** Data of another cluster is a person's to judge. Half a bootstrap is not yet anybody's cluster. */
async function refuseOtherCluster(
  { ports, systemId }: Composed,
  { initialize }: ClusterSnapshot,
  { scope, postgres }: NodeSettings,
): Promise<void> {
  const wanted = initialize.value;
  const found = await systemId();
  if (wanted === undefined || found === undefined || wanted === found) return;
  if (ports.state.current().bootstrapping === true) return;
  const why = `its system identifier is ${found}, that of ${scope} is ${wanted}`;
  throw new AppError("PG_SYSTEM_ID_MISMATCH", `using ${postgres.dataDir}`, why);
}

async function readCluster(node: Node, log: Log): Promise<ClusterSnapshot | undefined> {
  try {
    return await node.dcs.snapshot(CHECK_LIMIT_MS);
  } catch (error) {
    const failure = asAppError(error, "STORE_UNREACHABLE", "reading the store at the start");
    if (failure.code === "STORE_REFUSED") throw failure;
    const [, why, next] = failure.lines();
    log.warn("the store cannot be read yet, the agent goes on trying", { why, next });
    return undefined;
  }
}
