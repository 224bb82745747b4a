// All that the doctor knows about this node. Whatever cannot be read becomes a fact with its reason.
import { withDiscovered } from "../adapters/etcd/discovery.ts";
import { loadTls } from "../adapters/http/client.ts";
import type { Gathered, NodeFacts, Surroundings } from "../model/doctor/facts.ts";
import type { NodeFile } from "../model/settings-file.ts";
import { backupFacts, peerFacts, securityFacts } from "./around.ts";
import { groundFacts, serverPid } from "./ground.ts";
import { hostFacts } from "./host.ts";
import { keepingFacts } from "./keeping.ts";
import { poolersOf, postgresFacts } from "./postgres.ts";
import { storeFacts } from "./store.ts";

type Loaded = Exclude<NodeFile, { readonly kind: "refused" }>;

export async function gather(file: string, node: Loaded, around: Surroundings): Promise<NodeFacts> {
  const { peers, routers } = around;
  const { settings } = node;
  const wallMs = Date.now();
  const database = node.kind === "router" ? undefined : node.settings;
  const ground = database === undefined ? undefined : await groundFacts(database);
  const pid = database === undefined ? undefined : serverPid(database.postgres.dataDir);
  const poolers =
    ground?.isRunning === true ? await poolersOf(routers, loadTls(settings.rest.tls)) : [];
  return {
    name: settings.name,
    scope: settings.scope,
    wallMs,
    clockAheadMs: 0,
    host: await attempt(() => hostFacts(pid)),
    ground,
    postgres:
      database === undefined || ground?.isRunning !== true
        ? undefined
        : await attempt(() => postgresFacts(database.postgres, poolers)),
    store: await storeFacts(await withDiscovered(settings.store).catch(() => settings.store)),
    peers: await peerFacts(peers),
    security: securityFacts(file, settings),
    keeping: keepingFacts(settings, around),
    backup: await backupFacts(settings),
  };
}

async function attempt<T>(look: () => Promise<T>): Promise<Gathered<T>> {
  try {
    return { kind: "seen", facts: await look() };
  } catch (error) {
    return { kind: "unseen", why: error instanceof Error ? error.message : String(error) };
  }
}
