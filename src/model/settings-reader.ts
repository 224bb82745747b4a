// How is a section of a YAML file read so that every complaint has a line and a column?
import { isMap, isScalar, isSeq, type Node, type YAMLMap } from "yaml";
import { didYouMean } from "./nearest.ts";
import { Secret } from "./secret.ts";
import { offsetOf, type Source } from "./settings-source.ts";
import { whyUnused } from "./settings-unused.ts";

interface Entry {
  readonly keyOffset: number;
  readonly value: unknown;
}

interface Place {
  readonly path: string;
  readonly offset: number;
}

interface NumberRange {
  readonly min?: number;
  readonly max?: number;
}

/** One scalar of a list, with the place where it stands. */
export interface Item {
  readonly text: string;
  readonly offset: number;
}

const WORDS_FOR_TRUE = new Set(["true", "on", "yes"]);
const WORDS_FOR_FALSE = new Set(["false", "off", "no"]);

/** One mapping of the file. Reading a key declares it; `close` then warns of those nobody read. */
export class Section {
  readonly #source: Source;
  readonly #path: string;
  readonly #entries = new Map<string, Entry>();
  readonly #asked = new Set<string>();
  readonly #offset: number;

  /** `place` says how the section is called and where to complain when it is not written at all. */
  constructor(source: Source, place: Place, node: unknown) {
    this.#source = source;
    this.#path = place.path;
    this.#offset = node === undefined ? place.offset : offsetOf(node);
    const map = source.resolve(node);
    if (isMap(map)) this.#take(map, 0);
    else if (!isNothing(map)) {
      source.problem(
        this.#offset,
        `${place.path || "the file"} must be a section of "name: value" lines`,
      );
    }
  }

  /** True when the key is written and has a value. */
  has(key: string): boolean {
    this.#asked.add(key);
    return this.#node(key) !== undefined;
  }

  names(): readonly string[] {
    return [...this.#entries.keys()];
  }

  text(key: string): string | undefined {
    this.#asked.add(key);
    const node = this.#node(key);
    if (node === undefined) return undefined;
    const text = scalarText(node);
    if (text === undefined) this.problem(key, "must be a text");
    return text;
  }

  /** A text that must be there; the empty text after a problem was noted. */
  required(key: string, hint: string): string {
    const text = this.text(key);
    if (text !== undefined && text !== "") return text;
    if (!this.has(key) || text === "") this.problem(key, `is missing: ${hint}`);
    return "";
  }

  /** The name of a file or folder, made whole: who reads the setting may work in another directory than the agent. */
  path(key: string): string | undefined {
    const text = this.text(key);
    return text === undefined || text === "" ? text : wholePath(this.#source.folder, text);
  }

  secret(key: string): Secret | undefined {
    const text = this.text(key);
    return text === undefined ? undefined : new Secret(text);
  }

  number(key: string, range: NumberRange = {}): number | undefined {
    const text = this.text(key);
    if (text === undefined) return undefined;
    const value = /^[+-]?\d+$/.test(text.trim()) ? Number(text) : Number.NaN;
    if (!Number.isSafeInteger(value)) {
      this.problem(key, `must be a whole number, not "${text}"`);
      return undefined;
    }
    if (value < (range.min ?? -Infinity)) this.problem(key, `must be at least ${range.min}`);
    if (value > (range.max ?? Infinity)) this.problem(key, `must be at most ${range.max}`);
    return value;
  }

  flag(key: string): boolean | undefined {
    const text = this.text(key)?.toLowerCase();
    if (text === undefined) return undefined;
    if (WORDS_FOR_TRUE.has(text)) return true;
    if (WORDS_FOR_FALSE.has(text)) return false;
    this.problem(key, `must be true or false, not "${text}"`);
    return undefined;
  }

  choice<T extends string>(key: string, words: readonly T[]): T | undefined {
    const text = this.text(key)?.toLowerCase();
    if (text === undefined) return undefined;
    const found = words.find((word) => word === text);
    if (found === undefined) this.problem(key, `must be one of ${words.join(", ")}, not "${text}"`);
    return found;
  }

  section(key: string): Section {
    this.#asked.add(key);
    const entry = this.#entries.get(key);
    const path = this.#path === "" ? key : `${this.#path}.${key}`;
    return new Section(this.#source, { path, offset: this.#at(key) }, entry?.value ?? undefined);
  }

  /** A list of texts; a single text counts as a list of one. */
  items(key: string): readonly Item[] {
    this.#asked.add(key);
    const node = this.#node(key);
    if (node === undefined) return [];
    const list = isSeq(node) ? node.items : [node];
    return list.flatMap((written) => {
      const text = scalarText(this.#source.resolve(written));
      if (text !== undefined) return [{ text, offset: offsetOf(written) }];
      this.#source.problem(offsetOf(written), `${this.#name(key)} must be a list of texts`);
      return [];
    });
  }

  texts(key: string): readonly string[] {
    return this.items(key).map(({ text }) => text);
  }

  /** Server parameters: names to text, written as PostgreSQL would write them. */
  parameters(key: string): Readonly<Record<string, string>> {
    const inner = this.section(key);
    const found: Record<string, string> = {};
    for (const name of inner.names()) {
      const text = inner.text(name);
      if (text !== undefined) found[name] = parameterText(text, inner.isFlag(name));
    }
    return found;
  }

  isFlag(key: string): boolean {
    const node = this.#node(key);
    return isScalar(node) && typeof node.value === "boolean";
  }

  /** The value as plain data, whatever its shape. */
  plain(key: string): unknown {
    this.#asked.add(key);
    const node = this.#node(key);
    return node === undefined ? undefined : this.#source.plain(node as Node);
  }

  problem(key: string, message: string): void {
    this.#source.problem(this.#at(key), `${this.#name(key)} ${message}`);
  }

  problemAt(offset: number, message: string): void {
    this.#source.problem(offset, message);
  }

  warn(key: string, message: string): void {
    this.#source.warn(this.#at(key), `${this.#name(key)} ${message}`);
  }

  /** Settings of Patroni that have no effect here: a warning with the reason instead of "unknown". */
  notUsed(...keys: readonly string[]): void {
    for (const key of keys) {
      if (this.has(key)) this.warn(key, whyUnused(key));
    }
  }

  /** Settings that are read elsewhere or have no visible effect: nothing is said. */
  accept(...keys: readonly string[]): void {
    for (const key of keys) this.#asked.add(key);
  }

  /** Warns of every key that was not read, with the nearest one that is. */
  close(): void {
    const known = [...this.#asked];
    for (const [key, { keyOffset }] of this.#entries) {
      if (this.#asked.has(key)) continue;
      const hint = didYouMean(key, known);
      this.#source.warn(keyOffset, `${this.#name(key)} is not a known setting${hint}`);
    }
  }

  #name(key: string): string {
    return this.#path === "" ? key : `${this.#path}.${key}`;
  }

  #node(key: string): unknown {
    const node = this.#source.resolve(this.#entries.get(key)?.value);
    return isNothing(node) ? undefined : node;
  }

  #at(key: string): number {
    const entry = this.#entries.get(key);
    if (entry === undefined) return this.#offset;
    return isNothing(entry.value) ? entry.keyOffset : offsetOf(entry.value);
  }

  #take(map: YAMLMap, depth: number): void {
    for (const pair of map.items) {
      if (isMergeKey(pair.key)) this.#merge(pair.value, depth);
      else {
        const key = scalarText(pair.key) ?? "";
        if (depth > 0 && this.#entries.has(key)) continue;
        this.#entries.set(key, { keyOffset: offsetOf(pair.key), value: pair.value });
      }
    }
  }

  /** `<<: *other`: what is written here wins over what is merged in. Anchors can't nest without end. */
  #merge(value: unknown, depth: number): void {
    const node = this.#source.resolve(value);
    const maps = isSeq(node) ? node.items.map((item) => this.#source.resolve(item)) : [node];
    if (depth < 8) for (const map of maps) if (isMap(map)) this.#take(map, depth + 1);
  }
}

const isNothing = (node: unknown): boolean =>
  node === undefined || node === null || (isScalar(node) && node.value === null);

const isMergeKey = (key: unknown): boolean => isScalar(key) && key.source === "<<";

const wholePath = (folder: string, path: string): string =>
  path.startsWith("/") ? path : `${folder.replace(/\/+$/, "")}/${path.replace(/^(?:\.\/+)+/, "")}`;

/** The text as written: `1.0` stays `1.0`, and a quoted or folded text is what it stands for. */
function scalarText(node: unknown): string | undefined {
  if (!isScalar(node) || node.value === null) return undefined;
  if (typeof node.value === "string") return node.value;
  return node.source ?? JSON.stringify(node.value);
}

function parameterText(text: string, isFlag: boolean): string {
  if (!isFlag) return text;
  return WORDS_FOR_TRUE.has(text.toLowerCase()) ? "on" : "off";
}
