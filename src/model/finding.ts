// What is wrong with a file, and exactly where?

export interface Finding {
  readonly file: string;
  /** Both count from 1. */
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/** `file:line:column: message`, which editors and people can jump to. */
export const printFinding = (f: Finding): string => `${f.file}:${f.line}:${f.column}: ${f.message}`;

/** In the order of the file. */
export const inFileOrder = (findings: readonly Finding[]): readonly Finding[] =>
  findings.toSorted((a, b) => a.line - b.line || a.column - b.column);
