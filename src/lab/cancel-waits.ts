// Who waits for a standby is cancelled again and again, as the time limit of an application's statements does it.
import type { Ms } from "../model/time.ts";
import { superuser } from "./health.ts";
import { LOAD_DATABASE } from "./load.ts";
import { type LabRecord, requireMember } from "./record.ts";
import { Session } from "./session.ts";

const CANCEL = `SELECT pg_cancel_backend(pid) FROM pg_stat_activity
  WHERE wait_event = 'SyncRep' AND datname = '${LOAD_DATABASE}'`;

/** Begins at once; answers the way to stop it. A server that does not answer has nobody to cancel. */
export function cancelWaits(lab: LabRecord, node: string, everyMs: Ms): () => void {
  const member = requireMember(lab, node);
  let isAsking = false;
  const ask = async (): Promise<void> => {
    if (isAsking) return;
    isAsking = true;
    try {
      using session = await Session.open(member, superuser(lab));
      await session.query(CANCEL);
    } catch {
      // Down, or not reachable: the next round asks again.
    } finally {
      isAsking = false;
    }
  };
  void ask();
  const timer = setInterval(() => void ask(), everyMs);
  return () => clearInterval(timer);
}
