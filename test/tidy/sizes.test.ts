// Is every file small enough to be read in one go? (Functions are measured by the linter.)
import { describe, expect, it } from "vitest";
import { LINES } from "./budgets.ts";
import { sourceFiles } from "./tree.ts";

const all = [...sourceFiles("src"), ...sourceFiles("test"), ...sourceFiles("scenarios")];
const source = all.filter(({ isTest }) => !isTest);

describe("sizes", () => {
  it("keeps every file within its cap", () => {
    const long = all.filter((file) => file.lines.length > (file.isTest ? LINES.test : LINES.file));
    expect(long.map((file) => `${file.path} has ${file.lines.length} lines`)).toEqual([]);
  });

  it("keeps the house as a whole small", () => {
    const lengths = source.map((file) => file.lines.length).toSorted((a, b) => a - b);
    const median = share(lengths, 0.5);
    const percentile95 = share(lengths, 0.95);
    console.log(`${lengths.length} files, median ${median} lines, 95th percentile ${percentile95}`);
    expect(median).toBeLessThanOrEqual(LINES.median);
    expect(percentile95).toBeLessThanOrEqual(LINES.percentile95);
  });
});

/** The value below which `part` of the sorted numbers lie; 0 when there are none. */
function share(sorted: readonly number[], part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
}
