// What is there before the server starts: directory, programs, room, free addresses?
import { existsSync, realpathSync, statfsSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { callHttp } from "../adapters/http/client.ts";
import { dataMajor, findBinDir } from "../adapters/postgres/programs.ts";
import { checkFree } from "../adapters/system/free-address.ts";
import { readPostmasterFile } from "../adapters/system/shared-memory.ts";
import { run } from "../adapters/system/spawn.ts";
import type { DiskFacts, GroundFacts } from "../model/doctor/facts.ts";
import { AppError } from "../model/error.ts";
import type { NodeSettings } from "../model/settings.ts";
import { printAddress } from "../model/settings-address.ts";

const VERSION_LIMIT_MS = 5_000;

/** The process named in postmaster.pid, if it is there. */
export function serverPid(dataDir: string): number | undefined {
  const pid = readPostmasterFile(dataDir)?.pid;
  return pid !== undefined && existsSync(`/proc/${pid}`) ? pid : undefined;
}

export async function groundFacts(settings: NodeSettings): Promise<GroundFacts> {
  const { dataDir, binDir } = settings.postgres;
  const isRunning = serverPid(dataDir) !== undefined;
  const major = await dataMajor(dataDir);
  return {
    isRunning,
    dataDir,
    holdsCluster: major !== undefined,
    dataMajor: major,
    dataMode: modeOf(dataDir),
    ...(await programs(binDir, major)),
    disks: [dataDir, join(dataDir, "pg_wal")].flatMap(diskFacts),
    takenAddresses: isRunning ? [] : await taken(settings),
  };
}

async function programs(
  binDir: string,
  major: number | undefined,
): Promise<Pick<GroundFacts, "programMajor" | "programTrouble">> {
  const folder = await findBinDir(binDir, major);
  if (folder === undefined) {
    return { programMajor: undefined, programTrouble: "no PostgreSQL is installed" };
  }
  const program = join(folder, "postgres");
  try {
    const { stdout } = await run({ program, args: ["--version"], timeoutMs: VERSION_LIMIT_MS });
    const found = /\(PostgreSQL\) (\d+)/.exec(stdout)?.[1];
    if (found !== undefined) return { programMajor: Number(found), programTrouble: "" };
    return { programMajor: undefined, programTrouble: `${program} does not say its version` };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { programMajor: undefined, programTrouble: `${program}: ${why}` };
  }
}

/** Of what is not there yet, the folder above that will hold it. */
function diskFacts(path: string): readonly DiskFacts[] {
  const above = nearest(path);
  try {
    const { bsize, blocks, bavail, ffree } = statfsSync(above);
    return [
      {
        path,
        sizeBytes: blocks * bsize,
        freeBytes: bavail * bsize,
        freeFiles: ffree,
        device: statSync(above).dev,
      },
    ];
  } catch {
    return [];
  }
}

function nearest(path: string): string {
  let above = path;
  while (!existsSync(above) && above !== dirname(above)) above = dirname(above);
  return realpathSync(above);
}

export function modeOf(path: string): number | undefined {
  try {
    return statSync(path).mode & 0o777;
  } catch {
    return undefined;
  }
}

/** A running agent of ours has the REST address: then the server alone is missing, and it has it for us. */
async function taken({ postgres, rest }: NodeSettings): Promise<readonly string[]> {
  const addresses = postgres.listen.map((host) => ({ host, port: postgres.port }));
  const wanted = (await answersAtRest(rest.connectAddress))
    ? addresses
    : [...addresses, rest.listen];
  const found: string[] = [];
  for (const address of wanted) {
    await checkFree("doctor", address).catch((error: unknown) => {
      if (error instanceof AppError && error.code === "PORT_IN_USE") {
        found.push(printAddress(address));
      }
    });
  }
  return found;
}

/** Whatever answers `/liveness` there is an agent. */
async function answersAtRest(address: NodeSettings["rest"]["connectAddress"]): Promise<boolean> {
  const url = `http://${printAddress(address)}/liveness`;
  return callHttp({ method: "GET", url, timeoutMs: 1_000 }).then(
    ({ status }) => status === 200 || status === 503,
    () => false,
  );
}
