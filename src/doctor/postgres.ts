// What does the server say about itself? One session for the whole, and one for each database.
import { lookup } from "node:dns/promises";
import { callHttp, type TlsMaterial } from "../adapters/http/client.ts";
import { runningMaintenance } from "../adapters/postgres/maintenance.ts";
import { localTarget, type Row, type Session, withSession } from "../adapters/postgres/session.ts";
import type {
  ArchiverFacts,
  DatabaseFacts,
  DatabaseInside,
  PoolTracesFrom,
  PostgresFacts,
  Surroundings,
} from "../model/doctor/facts.ts";
import { blockingIn } from "../model/maintenance/blocking.ts";
import { type PoolTraces, TRACES_SQL } from "../model/pool-traces.ts";
import type { PostgresSettings } from "../model/settings.ts";
import { parseJson } from "../model/wire/json.ts";
import { parsePools } from "../model/wire/pools.ts";
import { databasesSql, INSIDE_SQL, SERVER_SQL, SETTINGS } from "./queries.ts";

const CONNECT_MS = 3_000;
const STATEMENT_MS = 5_000;
const ROUTER_MS = 2_000;
/** Each is a session of its own. */
const MOST_DATABASES = 20;

/** A pooler that hands connections on, and from where it comes. */
export interface Pooler {
  readonly router: string;
  readonly address: string;
  readonly mode: PoolTracesFrom["mode"];
  readonly version: string;
}

export async function postgresFacts(
  settings: PostgresSettings,
  poolers: readonly Pooler[],
): Promise<PostgresFacts> {
  const target = localTarget(settings);
  return withSession(target, CONNECT_MS, async (session) => {
    const [server = {}] = await session.query(SERVER_SQL, [[...SETTINGS]], STATEMENT_MS);
    const version = Number(server["version"]);
    const rows = await session.query(databasesSql(version), [], STATEMENT_MS);
    const open = rows.filter((row) => row["takesSessions"] === true);
    const looked = new Set(open.slice(0, MOST_DATABASES).map((row) => row["name"]));
    const blocking = blockingIn(await runningMaintenance(settings, STATEMENT_MS));
    const databases: DatabaseFacts[] = [];
    for (const row of rows) {
      const name = String(row["name"]);
      const look = looked.has(name)
        ? await inside({ ...target, database: name }, poolers)
        : { inside: undefined, insideTrouble: "" };
      databases.push({ ...outsideOf(row), ...look });
    }
    return {
      ...(withoutNulls(server) as unknown as PostgresFacts),
      archiver: server["archiver"] as ArchiverFacts,
      blocking,
      databases,
      databasesLeftOut: open.length - looked.size,
    };
  });
}

/** What SQL does not know is left out, as everywhere in our facts. */
const withoutNulls = (row: Row): Row =>
  Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null));

const outsideOf = (row: Row): Omit<DatabaseFacts, "inside" | "insideTrouble"> => ({
  name: String(row["name"]),
  frozenAge: Number(row["frozenAge"]),
  multixactAge: Number(row["multixactAge"]),
  collation:
    typeof row["recorded"] === "string" && typeof row["actual"] === "string"
      ? { recorded: row["recorded"], actual: row["actual"] }
      : undefined,
});

async function inside(
  target: ReturnType<typeof localTarget>,
  poolers: readonly Pooler[],
): Promise<Pick<DatabaseFacts, "inside" | "insideTrouble">> {
  try {
    return await withSession(target, CONNECT_MS, async (session) => {
      const [row] = await session.query(INSIDE_SQL, [], STATEMENT_MS);
      const pool = await traces(session, poolers);
      return { inside: { ...(row as unknown as DatabaseInside), pool }, insideTrouble: "" };
    });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { inside: undefined, insideTrouble: why };
  }
}

async function traces(
  session: Session,
  poolers: readonly Pooler[],
): Promise<readonly PoolTracesFrom[]> {
  const found: PoolTracesFrom[] = [];
  for (const { router, address, mode, version } of poolers) {
    const [row] = await session.query(TRACES_SQL, [address], STATEMENT_MS);
    const seen = row as unknown as PoolTraces;
    found.push({ router, mode, poolerVersion: version, ...seen });
  }
  return found;
}

/** Which routers hand connections on from transaction to transaction? Those that do not answer are left out. */
export async function poolersOf(
  routers: Surroundings["routers"],
  tls: TlsMaterial,
): Promise<readonly Pooler[]> {
  const asked = routers.map(async ({ name, apiUrl }): Promise<readonly Pooler[]> => {
    const url = `${apiUrl}/understudy/pools`;
    const { body } = await callHttp({ method: "GET", url, timeoutMs: ROUTER_MS, tls });
    const pools = parsePools(parseJson(body));
    const [mode] = (pools?.items ?? []).map((pool) => pool.mode).filter(isShared);
    const version = pools?.processes[0]?.version ?? "?";
    if (mode === undefined) return [];
    const host = new URL(apiUrl).hostname.replace(/^\[|\]$/g, "");
    const { address } = await lookup(host);
    return [{ router: name, address, mode, version }];
  });
  const answers = await Promise.allSettled(asked);
  return answers.flatMap((answer) => (answer.status === "fulfilled" ? answer.value : []));
}

const isShared = (mode: string): mode is PoolTracesFrom["mode"] =>
  mode === "transaction" || mode === "statement";
