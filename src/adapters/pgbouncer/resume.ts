// How does a pause end, on one process? By RESUME of what is paused; what is not paused counts as done.
import { AppError } from "../../model/error.ts";
import { type Console, quoteDatabase } from "./console.ts";

/** Ends the pause of these databases. Throws PGBOUNCER_FAILED when one stays paused. */
export async function resumeOn(
  console: Console,
  databases: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  let refusal: unknown;
  for (const name of await pausedAmong(console, databases, signal)) {
    // Refused when somebody else was quicker; what counts is the state afterwards.
    await console.tell(`RESUME ${quoteDatabase(name)}`, signal).catch((error: unknown) => {
      if (signal.aborted) throw error;
      refusal = error;
    });
  }
  const left = await pausedAmong(console, databases, signal);
  if (left.length === 0) return;
  throw new AppError(
    "PGBOUNCER_FAILED",
    "ending the pause",
    `still paused: ${left.join(", ")}`,
    refusal,
  );
}

export async function pausedAmong(
  console: Console,
  databases: readonly string[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  const rows = await console.show("DATABASES", signal);
  return rows
    .filter((row) => row["paused"] === "1" && databases.includes(row["name"] ?? ""))
    .map((row) => row["name"] ?? "");
}
