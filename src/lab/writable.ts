// Which of several servers takes writes? (what libpq does for target_session_attrs=read-write)
import { Session, type SessionOptions, type Target } from "./session.ts";

/** Tries the servers in order; answers a session with the first that is not read-only. */
export async function openWritable(
  targets: readonly Target[],
  options: SessionOptions,
): Promise<Session> {
  const reasons: string[] = [];
  for (const target of targets) {
    try {
      const session = await Session.open(target, options);
      if ((await session.value("SHOW transaction_read_only")) === "off") return session;
      session.close();
      reasons.push(`${target.name} is read-only`);
    } catch (error) {
      reasons.push(`${target.name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  throw new Error(reasons.join("; "));
}
