// What does a connection cost, straight to a server and through a router; and how many clients does a small pool serve?
import { readFileSync } from "node:fs";
import type { Ms } from "../../model/time.ts";
import { belongings } from "../belongings.ts";
import { waitForPrimary } from "../health.ts";
import { APP_DATABASE } from "../layout.ts";
import { loadLogin } from "../load.ts";
import { usageOf } from "../processes.ts";
import type { LabMember, LabRecord } from "../record.ts";
import { balancerOf, PATHS, type PathName, poolerOf } from "../routers.ts";
import { Session, type SessionOptions, type Target } from "../session.ts";
import { median } from "../statistics.ts";

export interface ConnectionCosts {
  /** Connect, one small query, close: the median, for each way. */
  readonly connectMs: Readonly<Record<PathName, Ms>>;
  /** Memory of its own that each further server process takes after a few catalog lookups. */
  readonly backendMb: number;
  readonly many: ManyClients;
}

export interface ManyClients {
  readonly clients: number;
  /** How many of them got an answer to every query. */
  readonly served: number;
  /** Server processes that answered them. */
  readonly servers: number;
  /** PgBouncer's resident memory without them, and with all of them. */
  readonly idleMb: number;
  readonly busyMb: number;
  /** From a client's query to its answer, while all ask at once. */
  readonly medianMs: Ms;
  readonly longestMs: Ms;
}

const CONNECTS = 200;
const BACKENDS = 40;
const CLIENTS = 2_000;
/** Logins that are under way at the same time: a listener's queue is finite. */
const LOGINS_AT_ONCE = 50;
const QUERIES_EACH = 3;
const PRIMARY_LIMIT_MS: Ms = 60_000;
const LOGIN_LIMIT_MS: Ms = 30_000;
const ANSWER_LIMIT_MS: Ms = 60_000;
/** As an application's first queries do it: caches of the catalog fill. */
const WARM_UP = "SELECT count(*) FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid";

export async function connectionCosts(lab: LabRecord): Promise<ConnectionCosts> {
  const { member } = await waitForPrimary(lab, PRIMARY_LIMIT_MS);
  const connectMs = await connectTimes(lab, member);
  const backendMb = await backendMemory(lab, member);
  return { connectMs, backendMb, many: await manyClients(lab, doorOf(lab, "pooled", member)) };
}

const loginOf = (lab: LabRecord): SessionOptions => ({
  ...loadLogin(lab),
  database: APP_DATABASE,
  connectMs: LOGIN_LIMIT_MS,
  statementMs: ANSWER_LIMIT_MS,
});

function doorOf(lab: LabRecord, path: PathName, primary: LabMember): Target {
  const [router] = lab.routers;
  if (router === undefined || path === "direct") return primary;
  return path === "pooled" ? poolerOf(router) : balancerOf(router, "write");
}

/** By turns, so that whatever else the machine does hits all alike. */
async function connectTimes(
  lab: LabRecord,
  primary: LabMember,
): Promise<Readonly<Record<PathName, Ms>>> {
  const taken: Record<PathName, Ms[]> = { direct: [], pooled: [], balanced: [] };
  for (let n = 0; n < CONNECTS; n++) {
    for (const path of PATHS) {
      const since = performance.now();
      const session = await Session.open(doorOf(lab, path, primary), loginOf(lab));
      await session.value("SELECT 1");
      session.close();
      taken[path].push(performance.now() - since);
    }
  }
  const { direct, pooled, balanced } = taken;
  return { direct: median(direct), pooled: median(pooled), balanced: median(balanced) };
}

async function backendMemory(lab: LabRecord, primary: LabMember): Promise<number> {
  const sessions = await Promise.all(
    Array.from({ length: BACKENDS }, () => Session.open(primary, loginOf(lab))),
  );
  try {
    const own = await Promise.all(
      sessions.map(async (session) => {
        await session.query(WARM_UP);
        return ownMemoryMb(Number(await session.value("SELECT pg_backend_pid()")));
      }),
    );
    return median(own);
  } finally {
    for (const session of sessions) session.close();
  }
}

/** What nobody shares with it: freed when it ends. */
function ownMemoryMb(pid: number): number {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, "latin1");
  const parts = [...text.matchAll(/^Private_\w+:\s+(\d+) kB/gm)];
  return parts.reduce((sum, [, kilobytes]) => sum + Number(kilobytes), 0) / 1024;
}

async function manyClients(lab: LabRecord, door: Target): Promise<ManyClients> {
  const idleMb = poolerMemoryMb(lab);
  const sessions: Session[] = [];
  try {
    while (sessions.length < CLIENTS) {
      const next = Array.from({ length: LOGINS_AT_ONCE }, () => Session.open(door, loginOf(lab)));
      sessions.push(...(await Promise.all(next)));
    }
    const asked = await Promise.allSettled(sessions.map(askOften));
    const answered = asked.flatMap((one) => (one.status === "fulfilled" ? one.value : []));
    const times = answered.map(({ tookMs }) => tookMs);
    return {
      clients: sessions.length,
      served: asked.filter(({ status }) => status === "fulfilled").length,
      servers: new Set(answered.map(({ pid }) => pid)).size,
      idleMb,
      busyMb: poolerMemoryMb(lab),
      medianMs: median(times),
      longestMs: Math.max(...times),
    };
  } finally {
    for (const session of sessions) session.close();
  }
}

/** One client: each query is a transaction of its own, so any server of the pool may answer it. */
async function askOften(session: Session): Promise<readonly { pid: number; tookMs: Ms }[]> {
  const answers = [];
  for (let n = 0; n < QUERIES_EACH; n++) {
    const since = performance.now();
    const pid = Number(await session.value("SELECT pg_backend_pid()"));
    answers.push({ pid, tookMs: performance.now() - since });
  }
  return answers;
}

function poolerMemoryMb(lab: LabRecord): number {
  const poolers = belongings(lab).filter(({ role }) => role === "pgbouncer");
  const kilobytes = poolers.map(({ process }) => usageOf(process.pid)?.residentKb ?? 0);
  return kilobytes.reduce((sum, one) => sum + one, 0) / 1024;
}
