// Which real ports does a node stand on? Wiring, and nothing else.
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { createEtcdStore } from "../adapters/etcd/store.ts";
import { createFence, type FenceClient } from "../adapters/fence/client.ts";
import { loadTls } from "../adapters/http/client.ts";
import { createPeers } from "../adapters/peers/peers.ts";
import { readControlFile } from "../adapters/postgres/control-data.ts";
import { serverLogFile } from "../adapters/postgres/place.ts";
import { createPostgres } from "../adapters/postgres/postgres.ts";
import { createClock } from "../adapters/system/clock.ts";
import { createLog } from "../adapters/system/log.ts";
import { openLogFile } from "../adapters/system/log-file.ts";
import { openNodeState } from "../adapters/system/node-state.ts";
import { actAs } from "../adapters/system/os-user.ts";
import { createRandom } from "../adapters/system/random.ts";
import { AppError } from "../model/error.ts";
import type { NodeSettings, TlsFiles, WatchdogSettings } from "../model/settings.ts";
import type { NodePorts } from "../node/node.ts";
import { rememberedConfig } from "../node/remembered.ts";
import { planFor } from "../node/server-plan.ts";
import { RECORDING_FOLDER, recorded } from "./recorder.ts";

/** The real ports of a node, and what must be closed when it leaves. */
export interface Composed {
  readonly ports: NodePorts;
  readonly fence: FenceClient;
  readonly serverLog: string;
  /** Throws what a person must put right before this node can be of any use. */
  checkGround(): Promise<void>;
  /** Whose data lies in the data directory; undefined when it holds none. */
  systemId(): Promise<string | undefined>;
  /** The log was rotated: goes on in a new file. */
  reopenLog(): void;
  close(): void;
}

export async function compose(settings: NodeSettings): Promise<Composed> {
  const clock = createClock();
  const { level, file } = settings.log;
  const logFile = file === undefined ? undefined : openLogFile(file);
  const log = createLog({
    level,
    fields: { node: settings.name },
    ...(logFile && { write: logFile.write, isTerminal: false }),
  });
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
  const postgres = createPostgres({ settings, fence, clock, log });
  const ports: NodePorts = {
    clock,
    log,
    random: createRandom(),
    state,
    store,
    fence,
    postgres,
    peers: createPeers({
      clock,
      scope: settings.scope,
      credentials: settings.rest.authentication,
      tls: loadTls(settings.rest.tls),
    }),
  };
  const composed = recorded(ports, settings.name, process.env[RECORDING_FOLDER]);
  const config = rememberedConfig(ports, settings.bootstrap.config);
  return {
    ports: composed,
    fence,
    serverLog: serverLogFile(stateDir),
    checkGround: () => postgres.checkGround(planFor(config, settings)),
    systemId: async () => (await readControlFile(dataDir))?.systemId,
    reopenLog: () => logFile?.reopen(),
    close() {
      postgres.close();
      fence.close();
      store.close();
      logFile?.close();
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
