// How does a lab get a database of its own beside `postgres`?
import { superuser } from "./health.ts";
import type { LabRecord } from "./record.ts";
import { sqlState } from "./session.ts";
import { openWritable } from "./writable.ts";

const DUPLICATE_DATABASE = "42P04";
/** The template is copied, file by file: beside a full load that takes longer than a look. */
const COPY_LIMIT_MS = 60_000;

/** Makes a database on the primary, unless it is there. */
export async function makeDatabase(lab: LabRecord, name: string): Promise<void> {
  using session = await openWritable(lab.members, {
    ...superuser(lab),
    statementMs: COPY_LIMIT_MS,
  });
  await session.query(`CREATE DATABASE ${name}`).catch((error: unknown) => {
    if (sqlState(error) !== DUPLICATE_DATABASE) throw error;
  });
}
