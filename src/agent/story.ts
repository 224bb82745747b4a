// How are a node's events and incidents put together, and taken apart when the agent leaves?
import { loadTls } from "../adapters/http/client.ts";
import type { NodeSettings } from "../model/settings.ts";
import { VERSION } from "../model/version.ts";
import type { Node } from "../node/node.ts";
import { Chronicle } from "./chronicle/chronicle.ts";
import type { Composed } from "./compose.ts";
import { IncidentKeeper } from "./incidents/keeper.ts";

export interface Story {
  readonly chronicle: Chronicle;
  readonly incidents: IncidentKeeper;
  /** To be called after every look of the node. */
  looked(): void;
  /** Begins to hear of the fence and of the router. */
  listen(): void;
  close(): Promise<void>;
}

/** `node` is asked only once something has happened. */
export async function openStory(
  settings: NodeSettings,
  composed: Composed,
  node: () => Node,
): Promise<Story> {
  const { clock, log } = composed.ports;
  const { stateDir, dataDir } = settings.postgres;
  const chronicle = await Chronicle.open({
    node: settings.name,
    stateDir,
    version: VERSION,
    clock,
    places: { dataDir, serverLog: composed.serverLog },
  });
  const incidents = new IncidentKeeper({
    node: settings.name,
    stateDir,
    chronicle,
    clock,
    log,
    tls: loadTls(settings.rest.tls),
    others() {
      const seen = node().lastCluster()?.seen;
      return { members: seen?.members ?? [], routers: seen?.routers ?? [] };
    },
  });
  return {
    chronicle,
    incidents,
    looked() {
      const last = node().last();
      if (last !== undefined) chronicle.looked(last);
    },
    listen() {
      composed.fence.onEvent((event) => chronicle.fenceSaid(event));
      composed.router?.onLook((last) => chronicle.routed(last));
    },
    close() {
      incidents.close();
      return chronicle.close();
    },
  };
}
