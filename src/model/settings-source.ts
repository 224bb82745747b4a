// Where in the YAML text does a value stand, and what was found wrong so far?
import { type Document, isAlias, LineCounter, type Node, parseDocument } from "yaml";
import { type Finding, inFileOrder } from "./finding.ts";

/** One YAML text while it is being read: its tree, its positions and the findings collected on the way. */
export class Source {
  readonly file: string;
  readonly document: Document.Parsed;
  readonly #lines = new LineCounter();
  readonly #problems: Finding[] = [];
  readonly #warnings: Finding[] = [];

  constructor(text: string, file: string) {
    this.file = file;
    this.document = parseDocument(text, {
      lineCounter: this.#lines,
      merge: true,
      prettyErrors: false,
    });
    for (const error of this.document.errors) this.problem(error.pos[0], firstLine(error.message));
    for (const warning of this.document.warnings) {
      this.warn(warning.pos[0], firstLine(warning.message));
    }
  }

  get problems(): readonly Finding[] {
    return inFileOrder(this.#problems);
  }

  get warnings(): readonly Finding[] {
    return inFileOrder(this.#warnings);
  }

  problem(offset: number, message: string): void {
    this.#problems.push(this.#finding(offset, message));
  }

  warn(offset: number, message: string): void {
    this.#warnings.push(this.#finding(offset, message));
  }

  /** The node an alias stands for; other nodes stand for themselves. */
  resolve(node: unknown): unknown {
    return isAlias(node) ? node.resolve(this.document) : node;
  }

  /** The value as plain data, or undefined with a problem when it can't be one. */
  plain(node: Node): unknown {
    try {
      return node.toJS(this.document, { maxAliasCount: 100 });
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.problem(offsetOf(node), `this value can't be read: ${firstLine(why)}`);
      return undefined;
    }
  }

  #finding(offset: number, message: string): Finding {
    const { line, col } = this.#lines.linePos(offset);
    return { file: this.file, line: Math.max(1, line), column: Math.max(1, col), message };
  }
}

/** Where a node begins in the text. */
export const offsetOf = (node: unknown): number => {
  const range = (node as { range?: readonly number[] | null } | null)?.range;
  return range?.[0] ?? 0;
};

const firstLine = (text: string): string => text.split("\n")[0] ?? text;
