// What may be put right without asking anybody else? Only what needs no restart, loses nothing and can be undone.
import { chmodSync, writeFileSync } from "node:fs";
import type { NodeFacts } from "../model/doctor/facts.ts";

export interface Fix {
  /** The check that it answers. */
  readonly id: string;
  /** What was done, or why it could not be. */
  readonly told: string;
  readonly isDone: boolean;
}

const HUGE_PAGES = "/sys/kernel/mm/transparent_hugepage/enabled";
/** Others read nothing, the group writes nothing. */
const KEPT_BITS = 0o750;

/** Puts right what it may, and tells each step. */
export function fixWhatIsSafe({ security, host }: NodeFacts): readonly Fix[] {
  const fixes: Fix[] = security.looseFiles.map(({ path, mode }) =>
    attempt("security_loose_file", `chmod 0${(mode & KEPT_BITS).toString(8)} ${path}`, () =>
      chmodSync(path, mode & KEPT_BITS),
    ),
  );
  if (host.kind === "seen" && host.facts.transparentHugePages === "always") {
    const told = "transparent huge pages set to madvise, until the next boot";
    fixes.push(
      attempt("host_transparent_huge_pages", told, () => writeFileSync(HUGE_PAGES, "madvise")),
    );
  }
  return fixes;
}

function attempt(id: string, told: string, act: () => void): Fix {
  try {
    act();
    return { id, told, isDone: true };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { id, told: `${told}: ${why}`, isDone: false };
  }
}
