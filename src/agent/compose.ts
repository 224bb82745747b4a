// Which real ports does a node stand on? Wiring, and nothing else.
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { createEtcdStore } from "../adapters/etcd/store.ts";
import { createFence, type FenceClient } from "../adapters/fence/client.ts";
import { loadTls } from "../adapters/http/client.ts";
import { createPeers } from "../adapters/peers/peers.ts";
import { serverLogFile } from "../adapters/postgres/place.ts";
import { createPostgres } from "../adapters/postgres/postgres.ts";
import { createClock } from "../adapters/system/clock.ts";
import { createLog } from "../adapters/system/log.ts";
import { openNodeState } from "../adapters/system/node-state.ts";
import { actAs } from "../adapters/system/os-user.ts";
import { createRandom } from "../adapters/system/random.ts";
import { AppError } from "../model/error.ts";
import type { NodeSettings, TlsFiles, WatchdogSettings } from "../model/settings.ts";
import type { NodePorts } from "../node/node.ts";

/** The real ports of a node, and what must be closed when it leaves. */
export interface Composed {
  readonly ports: NodePorts;
  readonly fence: FenceClient;
  readonly serverLog: string;
  close(): void;
}

export async function compose(settings: NodeSettings): Promise<Composed> {
  const clock = createClock();
  const log = createLog({ level: settings.log.level, fields: { node: settings.name } });
  const user = actAs(settings.postgres.osUser);
  const { stateDir, dataDir } = settings.postgres;
  const state = await openNodeState(stateDir);
  const { endpoints, credentials, tls } = settings.store;
  const store = createEtcdStore({
    endpoints,
    credentials,
    clock,
    log,
    ...(tls === undefined ? {} : { tls: tlsTexts(tls) }),
  });
  const fence = createFence({
    clock,
    log,
    stateDir,
    dataDir,
    user,
    fenceProgram: join(dirname(fileURLToPath(import.meta.url)), "fence.mjs"),
    watchdog: watchdogOf(settings.watchdog),
  });
  const ports: NodePorts = {
    clock,
    log,
    random: createRandom(),
    state,
    store,
    fence,
    postgres: createPostgres({ settings, fence, clock, log }),
    peers: createPeers({ clock, tls: loadTls(settings.rest.tls) }),
  };
  return {
    ports,
    fence,
    serverLog: serverLogFile(stateDir),
    close() {
      fence.close();
      store.close();
    },
  };
}

const watchdogOf = (w: WatchdogSettings) =>
  w.mode === "off" ? undefined : { device: w.device, timeoutMs: w.safetyMarginMs };

function tlsTexts(files: TlsFiles) {
  const text = (path: string) => {
    try {
      return readFileSync(path, "utf8");
    } catch (error) {
      throw new AppError(
        "CONFIG_INVALID",
        `read ${path}`,
        error instanceof Error ? error.message : String(error),
      );
    }
  };
  return {
    ...(files.cafile === undefined ? {} : { ca: text(files.cafile) }),
    ...(files.certfile === undefined ? {} : { cert: text(files.certfile) }),
    ...(files.keyfile === undefined ? {} : { key: text(files.keyfile) }),
  };
}
