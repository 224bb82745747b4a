// An agent that pauses the pooler and is killed while it does: told what to do by its one JSON argument.
import { createPgbouncer } from "../../src/adapters/pgbouncer/pgbouncer.ts";
import { createClock } from "../../src/adapters/system/clock.ts";
import { createLog } from "../../src/adapters/system/log.ts";

const { settings, releaser, limitMs } = JSON.parse(process.argv[2] ?? "{}");
const clock = createClock();
const log = createLog({ level: "error" });
const pooler = createPgbouncer({ settings, holdLimitMs: limitMs, releaser, clock, log });
const held = await pooler.hold({ drainMs: 5000, limitMs }, new AbortController().signal);
process.stdout.write(`${held.kind}\n`);
setInterval(() => undefined, 1000);
