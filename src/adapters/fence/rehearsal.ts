// Code that has never run is not in memory. The fence plays its emergency once at the start, with nobody to harm.
import type { Instant } from "../../model/time.ts";
import { lookAtServer, type ServerLook } from "../system/server-look.ts";
import { lineReader, printLine } from "./protocol.ts";
import { countStuck, takeDown } from "./takedown.ts";

const ACTOR = { pid: 0, ppid: 0, startTime: 0, state: "S", exe: "/postgres" };
const ALIVE: ServerLook = { processes: [ACTOR], postmaster: ACTOR, attached: 1, isDown: false };
const DOWN: ServerLook = { processes: [], postmaster: undefined, attached: 0, isDown: true };

export async function rehearse(dataDir: string, now: () => Instant): Promise<void> {
  const acts = [ALIVE, ALIVE, DOWN];
  await takeDown({
    dataDir,
    now,
    graceMs: 0,
    timeoutMs: 1000,
    look: () => acts.shift() ?? DOWN,
    send: () => undefined,
  });
  // The real look as well: it only reads.
  countStuck(lookAtServer({ dataDir }));
  lineReader(() => undefined)(Buffer.from(printLine({ id: 0, do: "ping" })));
}
