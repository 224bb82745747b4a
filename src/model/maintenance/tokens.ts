// Which words stand in a statement? Comments fall away, and what stands in quotes is never taken for a keyword.

/** A keyword or name without quotes in small letters; a quoted name as it is; a literal; or a sign. */
export interface Token {
  readonly kind: "word" | "quoted" | "literal" | "sign";
  readonly text: string;
}

const PATTERN =
  /(?<space>\s+|--[^\n]*|\/\*[\s\S]*?\*\/)|(?<dollar>\$(?<tag>\w*)\$[\s\S]*?\$\k<tag>\$)|(?<text>[eEbBxXnN]?'(?:[^']|'')*')|(?<quoted>"(?:[^"]|"")*")|(?<word>[\p{L}_][\p{L}\p{N}_$]*)|(?<number>\d[\d.]*)|(?<sign>[\s\S])/gu;

/** Statements one after another, each as its tokens; empty ones are left out. */
export function statementsIn(sql: string): readonly (readonly Token[])[] {
  const statements: Token[][] = [[]];
  for (const { groups = {} } of sql.matchAll(PATTERN)) {
    const token = tokenOf(groups);
    if (token === undefined) continue;
    if (token.kind === "sign" && token.text === ";") statements.push([]);
    else statements.at(-1)?.push(token);
  }
  return statements.filter(({ length }) => length > 0);
}

function tokenOf(groups: Readonly<Record<string, string | undefined>>): Token | undefined {
  const { word, quoted, dollar, text, number, sign } = groups;
  if (word !== undefined) return { kind: "word", text: word.toLowerCase() };
  if (quoted !== undefined)
    return { kind: "quoted", text: quoted.slice(1, -1).replaceAll('""', '"') };
  const literal = dollar ?? text ?? number;
  if (literal !== undefined) return { kind: "literal", text: literal };
  return sign === undefined ? undefined : { kind: "sign", text: sign };
}

/** Walks along the tokens of one statement. */
export class Words {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#tokens.length;
  }

  /** Goes on behind these keywords when they come next, all of them. */
  take(...words: readonly string[]): boolean {
    const fits = words.every((word, n) => isWord(this.#tokens[this.#at + n], word));
    if (fits) this.#at += words.length;
    return fits;
  }

  sign(text: string): boolean {
    const token = this.#tokens[this.#at];
    const fits = token?.kind === "sign" && token.text === text;
    if (fits) this.#at += 1;
    return fits;
  }

  /** Whether a keyword stands anywhere in what is left. */
  has(...words: readonly string[]): boolean {
    const rest = this.#tokens.slice(this.#at);
    return rest.some((_, n) => words.every((word, k) => isWord(rest[n + k], word)));
  }

  /** `name` or `schema.name`, as its parts; undefined when no name comes next. */
  name(): readonly string[] | undefined {
    const parts: string[] = [];
    do {
      const token = this.#tokens[this.#at];
      if (token?.kind !== "word" && token?.kind !== "quoted") return undefined;
      parts.push(token.text);
      this.#at += 1;
    } while (this.sign("."));
    return parts;
  }

  /** What stands in the parentheses that come next, as lists parted by commas; none where none come. */
  list(): readonly (readonly Token[])[] {
    if (!this.sign("(")) return [];
    const inside: Token[] = [];
    for (let depth = 1; !this.isAtEnd; this.#at += 1) {
      const token = this.#tokens[this.#at] as Token;
      if (isSign(token, "(")) depth += 1;
      if (isSign(token, ")")) depth -= 1;
      if (depth === 0) {
        this.#at += 1;
        break;
      }
      inside.push(token);
    }
    return partedByCommas(inside);
  }

  /** What is left, parted by the commas that stand in no parentheses. */
  parts(): readonly (readonly Token[])[] {
    return partedByCommas(this.#tokens.slice(this.#at));
  }
}

function partedByCommas(tokens: readonly Token[]): readonly (readonly Token[])[] {
  const parts: Token[][] = [[]];
  let depth = 0;
  for (const token of tokens) {
    if (isSign(token, "(")) depth += 1;
    if (isSign(token, ")")) depth -= 1;
    if (depth === 0 && isSign(token, ",")) parts.push([]);
    else parts.at(-1)?.push(token);
  }
  return parts.filter(({ length }) => length > 0);
}

const isSign = (token: Token | undefined, text: string): boolean =>
  token?.kind === "sign" && token.text === text;
const isWord = (token: Token | undefined, text: string): boolean =>
  token?.kind === "word" && token.text === text;
