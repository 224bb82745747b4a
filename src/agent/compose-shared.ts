// What does every agent stand on, with a server of its own or without?
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { createEtcdStore } from "../adapters/etcd/store.ts";
import { loadTls } from "../adapters/http/client.ts";
import { createPeers } from "../adapters/peers/peers.ts";
import { createClock } from "../adapters/system/clock.ts";
import { createLog } from "../adapters/system/log.ts";
import { openLogFile } from "../adapters/system/log-file.ts";
import { createRandom } from "../adapters/system/random.ts";
import { AppError } from "../model/error.ts";
import type { AgentSettings, TlsFiles } from "../model/settings.ts";
import type { NodePorts } from "../node/node.ts";

export type SharedPorts = Pick<NodePorts, "clock" | "random" | "log" | "store" | "peers">;

export interface Shared {
  readonly ports: SharedPorts;
  /** The log was rotated: goes on in a new file. */
  reopenLog(): void;
  close(): void;
}

/** A program of ours that lies beside the agent's. */
export const programBeside = (file: string): string =>
  join(dirname(fileURLToPath(import.meta.url)), file);

/** Variables that win over the node's file: a program beside this one means the node as it runs. */
export const overridingVariables = (): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) =>
      name.startsWith("PATRONI_") && value !== undefined ? [[name, value]] : [],
    ),
  );

export function composeShared(settings: AgentSettings): Shared {
  const clock = createClock();
  const { level, file, isPatronis } = settings.log;
  const logFile = file === undefined ? undefined : openLogFile(file);
  const log = createLog({
    level,
    isPatronis,
    fields: { node: settings.name },
    ...(logFile && { write: logFile.write, isTerminal: false }),
  });
  const { endpoints, credentials, tls } = settings.store;
  const store = createEtcdStore({
    endpoints,
    credentials,
    clock,
    log,
    ...(tls === undefined ? {} : { tls: tlsTexts(tls) }),
  });
  const peers = createPeers({
    clock,
    scope: settings.scope,
    credentials: settings.rest.authentication,
    tls: loadTls(settings.rest.tls),
  });
  return {
    ports: { clock, log, random: createRandom(), store, peers },
    reopenLog: () => logFile?.reopen(),
    close() {
      store.close();
      logFile?.close();
    },
  };
}

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
