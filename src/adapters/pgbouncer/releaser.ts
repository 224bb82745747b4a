// The releaser: started with every pause, it ends the pause at its deadline if the one who paused has not.
//
// It looks at the record of the pause whenever the deadline written there has come: a pause that was prolonged is
// waited for anew, one that is gone or is another one's is none of its business.
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { between, type Instant } from "../../model/time.ts";
import { createBootClock } from "../system/boot-clock.ts";
import { Console } from "./console.ts";
import { type HoldRecord, isOver, readHold, removeHold } from "./hold.ts";
import { consoleKeyFile } from "./layout.ts";
import { resumeOn } from "./resume.ts";

/** Sleeping longer could miss a suspend of the host. */
const LONGEST_NAP_MS = 1000;
const TRY_LIMIT_MS = 2000;
const RETRY_MS = 200;
/** A PgBouncer that takes no word for so long serves nobody anyway. */
const MOST_TRIES = 300;

async function main(dir: string | undefined): Promise<number> {
  if (dir === undefined) return 2;
  const now = createBootClock();
  const record = await deadlineOf(dir, now);
  if (record === undefined) return 0;
  for (let attempt = 1; attempt <= MOST_TRIES; attempt += 1) {
    if (await release(dir, record)) {
      await removeHold(dir);
      return 0;
    }
    await sleep(RETRY_MS);
    if ((await readHold(dir))?.id !== record.id) return 0;
  }
  return 1;
}

/** Waits for the deadline of the pause that is in force now; undefined when somebody has ended it before. */
async function deadlineOf(dir: string, now: () => Instant): Promise<HoldRecord | undefined> {
  const first = await readHold(dir);
  for (let record = first; record?.id === first?.id; record = await readHold(dir)) {
    if (record === undefined || isOver(record, now())) return record;
    await sleep(Math.min(between(now(), record.until), LONGEST_NAP_MS));
  }
  return undefined;
}

/** On every process; one that is gone has no pause any more. */
async function release(dir: string, record: HoldRecord): Promise<boolean> {
  const password = await readFile(consoleKeyFile(dir), "utf8");
  const outcomes = await Promise.allSettled(
    record.socketDirs.map(async (socketDir) => {
      const limit = AbortSignal.timeout(TRY_LIMIT_MS);
      using console = await Console.open({ socketDir, port: record.port, password }, limit);
      await resumeOn(console, record.databases, limit);
    }),
  );
  return outcomes.every((one) => one.status === "fulfilled" || isGone(one.reason));
}

function isGone(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  const code = cause instanceof Error && "code" in cause ? cause.code : "";
  return code === "ENOENT" || code === "ECONNREFUSED";
}

process.exitCode = await main(process.argv[2]);
