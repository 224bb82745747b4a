// How do rows become aligned columns that never wrap?
import pc from "picocolors";

export interface Column<R> {
  readonly title: string;
  readonly cell: (row: R) => string;
  readonly right?: boolean;
  /** Columns with the largest number leave first when there is no room; 0 stays. */
  readonly leaves?: number;
}

const GAP = "  ";

/** Aligned text; cells are never empty, and columns leave rather than lines wrap. */
export function table<R>(
  columns: readonly Column<R>[],
  rows: readonly R[],
  columnsWide: number,
): string {
  const filled = columns.map((column) => ({
    ...column,
    cells: rows.map((row) => column.cell(row) || "n/a"),
  }));
  let kept = filled.map((column) => ({
    ...column,
    width: widest([column.title, ...column.cells]),
  }));
  while (widthOf(kept) > columnsWide) {
    const worst = Math.max(...kept.map(({ leaves }) => leaves ?? 0));
    if (worst === 0) break;
    kept = kept.filter(({ leaves }) => (leaves ?? 0) < worst);
  }
  const line = (texts: readonly string[]): string =>
    kept
      .map(({ right, width }, index) => pad(texts[index] ?? "", width, right === true))
      .join(GAP)
      .slice(0, columnsWide)
      .trimEnd();
  const head = pc.dim(line(kept.map(({ title }) => title)));
  return [head, ...rows.map((_, row) => line(kept.map(({ cells }) => cells[row] ?? "")))].join(
    "\n",
  );
}

const widest = (texts: readonly string[]): number => Math.max(...texts.map(({ length }) => length));

const widthOf = (columns: readonly { readonly width: number }[]): number =>
  columns.reduce((sum, { width }) => sum + width, (columns.length - 1) * GAP.length);

const pad = (text: string, width: number, right: boolean): string =>
  right ? text.padStart(width) : text.padEnd(width);
