// Which whole numbers are there? A million in a row are one pair, so that a long archive is a small value.

/** Pairs of first and last, in order, never touching each other. */
export type Runs = readonly (readonly [first: number, last: number])[];

/** The runs of any numbers, in any order, repeated or not. */
export function runsOf(numbers: Iterable<number>): Runs {
  const runs: [number, number][] = [];
  for (const n of [...numbers].toSorted((a, b) => a - b)) {
    const last = runs.at(-1);
    if (last !== undefined && n <= last[1] + 1) last[1] = Math.max(last[1], n);
    else runs.push([n, n]);
  }
  return runs;
}

/** What is in one of them or in both. */
export function joined(a: Runs, b: Runs): Runs {
  const runs: [number, number][] = [];
  for (const [first, last] of [...a, ...b].toSorted((x, y) => x[0] - y[0])) {
    const before = runs.at(-1);
    if (before !== undefined && first <= before[1] + 1) before[1] = Math.max(before[1], last);
    else runs.push([first, last]);
  }
  return runs;
}

/** The last number of the unbroken row that begins at `from`; `from - 1` when that one itself is missing. */
export function rowEnd(runs: Runs, from: number): number {
  let low = 0;
  let high = runs.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((runs[middle]?.[1] ?? 0) < from) low = middle + 1;
    else high = middle;
  }
  const run = runs[low];
  return run === undefined || run[0] > from ? from - 1 : run[1];
}

/** What is missing between `first` and `last`, both included. */
export function missingIn(runs: Runs, first: number, last: number): Runs {
  const missing: [number, number][] = [];
  let next = first;
  for (const [from, to] of runs) {
    if (to < next) continue;
    if (from > last) break;
    if (from > next) missing.push([next, from - 1]);
    next = to + 1;
  }
  if (next <= last) missing.push([next, last]);
  return missing;
}
