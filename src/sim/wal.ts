// Whose history is this byte part of? WAL as a tree of hidden branches: PostgreSQL sees numbers, we see identity.
//
// Two servers that promote from one point both write "timeline 2": the same number, two branches here. The
// same happens when a copy is started as a primary without a promotion. That is what the checkers look for.

export interface HiddenBranch {
  readonly id: number;
  readonly timeline: number;
  readonly parent: HiddenBranch | undefined;
  /** Where this branch left its parent. */
  readonly forkAt: number;
  /** The data directory that writes it, and how far it has been written. */
  readonly writer: number;
  tip: number;
}

export class WalTree {
  #nextId = 1;
  #nextDirectory = 1;
  readonly branches: HiddenBranch[] = [];

  /** Begins a branch written by the data directory `writer`. */
  grow(
    timeline: number,
    parent: HiddenBranch | undefined,
    at: number,
    writer: number,
  ): HiddenBranch {
    const branch = { id: this.#nextId++, timeline, parent, forkAt: at, writer, tip: at };
    this.branches.push(branch);
    return branch;
  }

  /** An identity for a new data directory: every copy is a writer of its own. */
  nextDirectory(): number {
    return this.#nextDirectory++;
  }
}

/** Does the history that ends at `end` of `branch` contain the byte before `at` on `other`? */
export function contains(
  branch: HiddenBranch,
  end: number,
  other: HiddenBranch,
  at: number,
): boolean {
  let limit = end;
  for (let b: HiddenBranch | undefined = branch; b !== undefined; b = b.parent) {
    if (b === other) return at <= limit;
    limit = Math.min(limit, b.forkAt);
  }
  return false;
}

/** The branch that data ending at `end` are really on: a copy that has not passed the fork is still on the parent. */
export function branchAt(branch: HiddenBranch, end: number): HiddenBranch {
  let b = branch;
  while (b.parent !== undefined && end <= b.forkAt) b = b.parent;
  return b;
}

/** What a history file of this branch says: numbers and ends, nothing about identity. */
export function visibleHistory(branch: HiddenBranch): readonly { timeline: number; end: number }[] {
  const lines: { timeline: number; end: number }[] = [];
  let end = Number.POSITIVE_INFINITY;
  for (let b: HiddenBranch | undefined = branch; b !== undefined; b = b.parent) {
    const newest = lines[0];
    if (newest?.timeline !== b.timeline) lines.unshift({ timeline: b.timeline, end });
    end = b.forkAt;
  }
  return lines;
}

/**
 * PostgreSQL's own check when a standby at (`branch`, `end`) asks an upstream on `theirs` for more: the numbers
 * must fit. Whether the bytes fit is not asked.
 */
export function numbersFit(branch: HiddenBranch, end: number, theirs: HiddenBranch): boolean {
  const line = visibleHistory(theirs).find((l) => l.timeline === branch.timeline);
  return line !== undefined && end <= line.end;
}

/** The newest point that two histories share by their numbers: where pg_rewind would begin. */
export function commonByNumbers(a: HiddenBranch, b: HiddenBranch): number | undefined {
  const mine = visibleHistory(a);
  const theirs = visibleHistory(b);
  let point: number | undefined;
  for (const [i, line] of mine.entries()) {
    const other = theirs[i];
    if (other?.timeline !== line.timeline) break;
    point = Math.min(line.end, other.end);
    if (line.end !== other.end) break;
  }
  return point;
}
