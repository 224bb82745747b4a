// Which known name was probably meant by an unknown one?

/** The known name closest to `word`, or undefined when none is close enough to be worth offering. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const wanted = plain(word);
  const limit = Math.max(1, Math.floor(wanted.length / 3));
  let best: string | undefined;
  let bestDistance = limit + 1;
  for (const name of known) {
    const distance = plain(name) === wanted ? 0 : editDistance(wanted, plain(name));
    if (distance >= bestDistance) continue;
    best = name;
    bestDistance = distance;
  }
  return best;
}

/** `, did you mean X?` or nothing: the tail of every message about an unknown name. */
export function didYouMean(word: string, known: readonly string[]): string {
  const name = nearest(word, known);
  return name === undefined ? "" : `, did you mean ${name}?`;
}

/** Names that differ only in case or separators are the same word. */
const plain = (word: string): string => word.toLowerCase().replace(/[-_ ]/g, "");

/** Insertions, deletions, replacements and swaps of neighbours that lead from one word to the other. */
function editDistance(from: string, to: string): number {
  const rows: number[][] = [Array.from({ length: to.length + 1 }, (_, column) => column)];
  const cell = (row: number, column: number): number => rows[row]?.[column] ?? 0;
  for (let row = 1; row <= from.length; row += 1) {
    const line = [row];
    rows.push(line);
    for (let column = 1; column <= to.length; column += 1) {
      const same = from[row - 1] === to[column - 1];
      const cheapest = Math.min(
        cell(row - 1, column) + 1,
        (line[column - 1] ?? 0) + 1,
        cell(row - 1, column - 1) + (same ? 0 : 1),
      );
      const swapped = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      line.push(swapped ? Math.min(cheapest, cell(row - 2, column - 2) + 1) : cheapest);
    }
  }
  return cell(from.length, to.length);
}
