// Which doors of the others open from here, and which of our own are open too wide?
import { createConnection } from "node:net";
import { join } from "node:path";
import { readIfPresent } from "../adapters/system/durable-file.ts";
import type {
  BackupFacts,
  LooseFile,
  PeerFacts,
  SecurityFacts,
  Surroundings,
} from "../model/doctor/facts.ts";
import { drillMemoryFile, parseDrillMemory } from "../model/drill-memory.ts";
import type { AgentSettings, NodeSettings } from "../model/settings.ts";
import { modeOf } from "./ground.ts";

const LIMIT_MS = 2_000;
/** The quickest counts: what a busy host adds is no distance. */
const SAMPLES = 5;

export const peerFacts = (peers: Surroundings["peers"]): Promise<readonly PeerFacts[]> =>
  Promise.all(
    peers.map(async (peer) => {
      const samples: number[] = [];
      let trouble = "";
      for (let sample = 0; sample < SAMPLES && trouble === ""; sample++) {
        const begun = performance.now();
        trouble = await knock(peer.address);
        samples.push(performance.now() - begun);
      }
      return { ...peer, trouble, latencyMs: Math.min(...samples) };
    }),
  );

/** Empty when a connection came about. */
function knock(address: string): Promise<string> {
  const at = address.lastIndexOf(":");
  const host = address.slice(0, at).replace(/^\[|\]$/g, "");
  return new Promise((resolve) => {
    const socket = createConnection({ host, port: Number(address.slice(at + 1)) });
    const finish = (trouble: string): void => {
      clearTimeout(limit);
      socket.destroy();
      resolve(trouble);
    };
    const limit = setTimeout(() => finish(`no answer in ${LIMIT_MS / 1000} s`), LIMIT_MS);
    socket.once("connect", () => finish(""));
    socket.once("error", (error: NodeJS.ErrnoException) => finish(error.code ?? error.message));
  });
}

export function securityFacts(file: string, settings: AgentSettings): SecurityFacts {
  const { rest, store } = settings;
  return {
    looseFiles: secretFiles(file, settings).flatMap(looseFile),
    restHasPassword: rest.authentication !== undefined,
    restIsEncrypted: rest.tls?.certfile !== undefined,
    restIsLimited:
      rest.allowlist.length > 0 || (rest.tls !== undefined && rest.tls.verifyClient !== "none"),
    restIsLocal: /^(?:127\.|::1$|localhost$)/.test(rest.listen.host),
    storeHasPassword: store.credentials !== undefined || store.tls?.certfile !== undefined,
  };
}

/** What nobody but its owner should read: the node's file has passwords in it. */
export function secretFiles(file: string, { rest, store }: AgentSettings): readonly string[] {
  const keys = [rest.tls?.keyfile, store.tls?.keyfile];
  return [file, ...keys.flatMap((key) => key ?? [])];
}

function looseFile(path: string): readonly LooseFile[] {
  const mode = modeOf(path);
  return mode === undefined || (mode & 0o027) === 0 ? [] : [{ path, mode }];
}

export async function backupFacts(settings: AgentSettings | NodeSettings): Promise<BackupFacts> {
  const backup = "backup" in settings ? settings.backup : undefined;
  if (backup === undefined || !("postgres" in settings))
    return { isConfigured: false, repositories: [] };
  const file = join(settings.postgres.stateDir, drillMemoryFile);
  // What cannot be read was no drill of this member, as far as anybody knows.
  const text = await readIfPresent(file).catch(() => undefined);
  return {
    isConfigured: backup.repositories.length > 0,
    repositories: backup.repositories.map(({ name }) => name),
    drill: { ...parseDrillMemory(text ?? ""), oldAfterMs: backup.drill.oldAfterMs },
  };
}
