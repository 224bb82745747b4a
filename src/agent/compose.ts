// Which real ports does a node stand on? Wiring, and nothing else.
import { readFile } from "node:fs/promises";
import { createFence, type FenceClient } from "../adapters/fence/client.ts";
import { readControlFile } from "../adapters/postgres/control-data.ts";
import { serverLogFile } from "../adapters/postgres/place.ts";
import { createPostgres } from "../adapters/postgres/postgres.ts";
import { createReplicationProbe } from "../adapters/postgres/replication-probe.ts";
import { openNodeState } from "../adapters/system/node-state.ts";
import { actAs, type OsUser } from "../adapters/system/os-user.ts";
import { runWorker } from "../adapters/worker/child.ts";
import type { NodeSettings, WatchdogSettings } from "../model/settings.ts";
import type { Ms } from "../model/time.ts";
import { watchdogTimeout } from "../model/watchdog-time.ts";
import type { NodePorts } from "../node/node.ts";
import { rememberedConfig } from "../node/remembered.ts";
import type { Router } from "../node/router.ts";
import { planFor } from "../node/server-plan.ts";
import type { RunTask } from "../ports/worker.ts";
import { composeRouter } from "./compose-router.ts";
import { composeShared, programBeside } from "./compose-shared.ts";
import { takeOverDynamicFile } from "./dynamic-file.ts";
import { openLagHistory } from "./lag-history.ts";
import { createLagWatch, type LagWatch } from "./lag-watch.ts";
import { RECORDING_FOLDER, recorded } from "./recorder.ts";
import { composeVault, type VaultKeeper } from "./vault.ts";

/** The real ports of a node, and what must be closed when it leaves. */
export interface Composed {
  readonly ports: NodePorts;
  readonly fence: FenceClient;
  /** Clients come in on this node as well. */
  readonly router: Router | undefined;
  readonly serverLog: string;
  readonly lag: LagWatch;
  /** Takes WAL out of this node, where backups are configured. */
  readonly vault: VaultKeeper | undefined;
  /** Throws what a person must put right before this node can be of any use. */
  checkGround(): Promise<void>;
  /** Whose data lies in the data directory; undefined when it holds none. */
  systemId(): Promise<string | undefined>;
  /** The log was rotated: goes on in a new file. */
  reopenLog(): void;
  /** Begins what runs beside the node's own loop. */
  start(): void;
  close(): void;
}

/** `file` is the node's own, which its worker reads for itself. */
export async function compose(settings: NodeSettings, file: string): Promise<Composed> {
  const shared = composeShared(settings);
  const { clock, log } = shared.ports;
  const user = actAs(settings.postgres.osUser);
  const { stateDir, dataDir } = settings.postgres;
  const state = await openNodeState(stateDir);
  await takeOverDynamicFile(dataDir, state);
  const config = rememberedConfig({ state }, settings.bootstrap.config);
  const fence = createFence({
    clock,
    log,
    stateDir,
    dataDir,
    user,
    fenceProgram: programBeside("fence.mjs"),
    watchdog: watchdogOf(settings.watchdog, config.ttlMs),
  });
  const runTask = taskRunner({ file, user, state });
  const postgres = createPostgres({ settings, fence, clock, log, runTask });
  const ports: NodePorts = { ...shared.ports, state, fence, postgres };
  const composed = recorded(ports, settings.name, process.env[RECORDING_FOLDER]);
  const vault = composeVault({ settings, file, clock, log });
  const router = settings.router && composeRouter(shared.ports, settings, settings.router);
  const lag = createLagWatch({
    probe: createReplicationProbe(settings.postgres, clock),
    history: openLagHistory(stateDir),
    clock,
    log,
  });
  return {
    ports: composed,
    fence,
    router,
    serverLog: serverLogFile(stateDir),
    lag,
    vault,
    checkGround: () => postgres.checkGround(planFor(config, settings)),
    systemId: async () => (await readControlFile(dataDir))?.systemId,
    reopenLog: () => shared.reopenLog(),
    start() {
      lag.start();
      router?.start();
      vault?.start();
    },
    close() {
      // After the server: what it wrote last went out as far as the server waited for it.
      vault?.close();
      postgres.close();
      fence.close();
      shared.close();
    },
  };
}

/** For the node's own data, outside of the list of jobs: its loop shows how far it is. */
const taskRunner =
  ({ file, user, state }: Pick<NodePorts, "state"> & { file: string; user: OsUser | undefined }) =>
  async (...[task, input, onProgress, signal]: Parameters<RunTask>): Promise<unknown> => {
    const { store } = state.current();
    const cluster = { systemId: store?.systemId, storeId: store?.clusterId };
    const order = { task, input, file, text: await readFile(file, "utf8"), cluster };
    return runWorker({ program: programBeside("worker.mjs"), order, user, onProgress }, signal);
  };

const watchdogOf = (w: WatchdogSettings, ttlMs: Ms) =>
  w.mode === "off"
    ? undefined
    : { device: w.device, timeoutMs: watchdogTimeout(w, ttlMs), isForTests: w.isForTests };
