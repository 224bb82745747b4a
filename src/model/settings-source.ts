// Where in the YAML text does a value stand, and what was found wrong so far?
import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  type YAMLMap,
} from "yaml";
import { type Finding, inFileOrder } from "./finding.ts";
import type { Override } from "./settings-environment.ts";

/** One YAML text while it is being read: its tree, its positions and the findings collected on the way. */
export class Source {
  readonly file: string;
  /** Where relative names of files begin. */
  readonly folder: string;
  readonly document: Document.Parsed;
  readonly #lines = new LineCounter();
  readonly #problems: Finding[] = [];
  readonly #warnings: Finding[] = [];

  /** `overrides` come from the environment and win over the text. */
  constructor(
    text: string,
    file: string,
    {
      folder = "/",
      overrides = [],
    }: { readonly folder?: string; readonly overrides?: readonly Override[] } = {},
  ) {
    this.file = file;
    this.folder = folder;
    this.document = parseDocument(text, {
      lineCounter: this.#lines,
      merge: true,
      prettyErrors: false,
    });
    for (const error of this.document.errors) this.problem(error.pos[0], firstLine(error.message));
    for (const warning of this.document.warnings) {
      this.warn(warning.pos[0], firstLine(warning.message));
    }
    if (this.#problems.length === 0) for (const override of overrides) this.#take(override);
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

  /** Written into the tree, section by section, as if it stood in the text. */
  #take({ variable, path, value }: Override): void {
    const { document } = this;
    document.contents ??= document.createNode({}) as unknown as Document.Parsed["contents"];
    let place: unknown = document.contents;
    for (const [index, name] of path.entries()) {
      if (!isMap(place)) {
        this.problem(0, `${variable} sets ${path.join(".")}, but the file has no section there`);
        return;
      }
      const isLast = index === path.length - 1;
      const pair = this.#pairIn(place, name);
      if (isLast) pair.value = document.createNode(value);
      else if (isEmpty(pair.value)) pair.value = document.createNode({});
      place = this.resolve(pair.value);
    }
  }

  #pairIn(map: YAMLMap, name: string): Pair {
    const found = map.items.find(({ key }) => isScalar(key) && key.value === name);
    if (found !== undefined) return found;
    const pair = this.document.createPair(name, null) as Pair;
    map.items.push(pair);
    return pair;
  }

  #finding(offset: number, message: string): Finding {
    const { line, col } = this.#lines.linePos(offset);
    return { file: this.file, line: Math.max(1, line), column: Math.max(1, col), message };
  }
}

const isEmpty = (node: unknown): boolean =>
  node === null || node === undefined || (isScalar(node) && node.value === null);

/** Where a node begins in the text. */
export const offsetOf = (node: unknown): number => {
  const range = (node as { range?: readonly number[] | null } | null)?.range;
  return range?.[0] ?? 0;
};

const firstLine = (text: string): string => text.split("\n")[0] ?? text;
