// How are a node's events and incidents put together, and taken apart when the agent leaves?
import { join } from "node:path";
import { loadTls } from "../adapters/http/client.ts";
import type { ClusterSnapshot } from "../model/cluster.ts";
import type { NodeSettings } from "../model/settings.ts";
import { VERSION } from "../model/version.ts";
import type { Node } from "../node/node.ts";
import { openAvailability } from "./availability/open.ts";
import type { AvailabilityWatch } from "./availability/watch.ts";
import { Chronicle } from "./chronicle/chronicle.ts";
import type { Composed } from "./compose.ts";
import { FlightRecorder } from "./flight-recorder.ts";
import { IncidentKeeper } from "./incidents/keeper.ts";

export interface Story {
  readonly chronicle: Chronicle;
  readonly incidents: IncidentKeeper;
  readonly availability: AvailabilityWatch | undefined;
  /** To be called after every look of the node. */
  looked(): void;
  /** Begins to hear of the fence and of the router, and to measure what the file asks for. */
  listen(): Promise<void>;
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
  const recorder = new FlightRecorder(join(stateDir, "recorder.jsonl"));
  const incidents = new IncidentKeeper({
    node: settings.name,
    stateDir,
    chronicle,
    clock,
    log,
    tls: loadTls(settings.rest.tls),
    others: () => othersIn(node().lastCluster()?.seen),
  });
  const availability = openAvailability(settings, stateDir, {
    clock,
    log,
    tell: (outage) => chronicle.clients(outage),
  });
  return {
    chronicle,
    incidents,
    availability,
    looked() {
      const last = node().last();
      if (last === undefined) return;
      chronicle.looked(last);
      recorder.looked(last);
    },
    async listen() {
      void chronicle.watchForStalls();
      composed.fence.onEvent((event) => chronicle.fenceSaid(event));
      composed.router?.onLook((last) => chronicle.routed(last));
      await availability?.start();
    },
    async close() {
      incidents.close();
      await availability?.stop();
      await chronicle.close();
    },
  };
}

/**
 * Who is to be asked. The key of a dead member ends with its lease, but the list of who may race still names it: its part
 * is missing, and must be said to be.
 */
function othersIn(seen: ClusterSnapshot | undefined) {
  const members = seen?.members ?? [];
  const listed = Object.entries(seen?.roster.value ?? {});
  const gone = listed.filter(([name]) => !members.some((member) => member.name === name));
  return {
    members: [...members, ...gone.map(([name, apiUrl]) => ({ name, apiUrl }))],
    routers: seen?.routers ?? [],
  };
}
