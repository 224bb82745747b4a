// What does the server of another site say about itself, to somebody who may only replicate?
//
// The replication protocol answers all of it, so no more rights are needed over there than a standby has anyway.
import { AppError } from "../../model/error.ts";
import { parseLsn } from "../../model/lsn.ts";
import type { RemoteSite, StandbyCluster } from "../../model/site.ts";
import type { Ms } from "../../model/time.ts";
import { parseHistory } from "../../model/timeline.ts";
import type { Place } from "./place.ts";
import { memberTarget, type Row, type Session, withSession } from "./session.ts";

const ATTEMPT = "looking at the other site";
/** READ_REPLICATION_SLOT came with this version. */
const TELLS_SLOTS = 15;

/** Of several hosts the first one that takes writes; while none does, the first one that answers. */
export async function lookAtSite(
  place: Place,
  site: StandbyCluster,
  timeoutMs: Ms,
): Promise<RemoteSite> {
  const looks = site.host.split(",").map((host) => lookAt(place, { ...site, host }, timeoutMs));
  // Whoever takes writes is answer enough: a host that is gone would make every look as long as its limit.
  const writer = await Promise.any(looks.map(mustTakeWrites)).catch(() => undefined);
  if (writer !== undefined) return writer;
  return Promise.any(looks).catch(async (): Promise<never> => {
    const [first] = await Promise.allSettled(looks);
    throw first?.status === "rejected" ? first.reason : new AppError("PG_SQL_FAILED", ATTEMPT);
  });
}

async function mustTakeWrites(look: Promise<RemoteSite>): Promise<RemoteSite> {
  const seen = await look;
  if (!seen.takesWrites) throw new AppError("NOT_POSSIBLE", ATTEMPT, "it takes no writes");
  return seen;
}

async function lookAt(
  { settings }: Place,
  { host, port, slot }: StandbyCluster,
  timeoutMs: Ms,
): Promise<RemoteSite> {
  const { replication, database } = settings.postgres;
  const target = { ...memberTarget({ host, port }, replication, database), replication: "true" };
  return withSession(target, timeoutMs, async (session) => {
    const ask = async (statement: string): Promise<Row> =>
      (await session.query(statement, [], timeoutMs))[0] ?? {};
    const identity = await ask("IDENTIFY_SYSTEM");
    const timeline = Number(identity["timeline"]);
    const position = parseLsn(textOf(identity["xlogpos"]));
    if (!Number.isSafeInteger(timeline) || position === undefined)
      throw new AppError("PG_SQL_FAILED", ATTEMPT, "its answer cannot be read");
    const file = timeline === 1 ? {} : await ask(`TIMELINE_HISTORY ${timeline}`);
    return {
      systemId: textOf(identity["systemid"]),
      timeline,
      position,
      history: parseHistory(textOf(file["content"])),
      takesWrites: (await ask("SHOW transaction_read_only"))["transaction_read_only"] === "off",
      hasSlot: slot === undefined ? undefined : await hasSlot(session, slot, timeoutMs),
    };
  });
}

async function hasSlot(
  session: Session,
  slot: string,
  timeoutMs: Ms,
): Promise<boolean | undefined> {
  const [version] = await session.query("SHOW server_version_num", [], timeoutMs);
  if (Number(version?.["server_version_num"]) < TELLS_SLOTS * 10_000) return undefined;
  const [row] = await session.query(`READ_REPLICATION_SLOT ${slot}`, [], timeoutMs);
  return typeof row?.["slot_type"] === "string";
}

/** Older servers call the content of a history file bytes. */
function textOf(value: unknown): string {
  if (Buffer.isBuffer(value)) return value.toString("latin1");
  return typeof value === "string" ? value : "";
}
