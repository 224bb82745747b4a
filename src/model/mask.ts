// What must not leave the house with a log? Secrets are found by their value where it is known, and by their shape.
const STARS = "******";

/** Shorter ones would be found in every second word. */
const SHORTEST_KNOWN = 4;

/** `password: x`, `"secret_key": "x"`, `password=x`, in YAML, JSON and connection strings. */
const NAMED =
  /((?:[\w-]*(?:pass(?:word|wd|phrase)?|secret|token|access[_-]?key|private[_-]?key|sslpassword)[\w-]*)["']?\s*[:=]\s*)(''[^']*''|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.|'')*'|[^\s,;{}'"[\]]+)/gi;

const SHAPES: readonly (readonly [shape: RegExp, instead: string])[] = [
  // postgresql://user:secret@host; the user stays, since it tells who it was.
  [/(\b[a-z][a-z0-9+.-]*:\/\/[^\s:@/"']*:)[^\s@/"']+(@)/gi, `$1${STARS}$2`],
  [/(\b(?:encrypted\s+)?password\s+)(?:E?'(?:[^'\\]|\\.|'')*'|\$\$.*?\$\$)/gi, `$1'${STARS}'`],
  [/\b(authorization["']?\s*[:=]\s*["']?(?:basic|bearer)\s+)[\w+/=.~-]+/gi, `$1${STARS}`],
  [/SCRAM-SHA-256\$\d+:[\w+/=]+\$[\w+/=]+:[\w+/=]+/g, STARS],
  [/\bmd5[0-9a-f]{32}\b/g, STARS],
  [/\bAGE-SECRET-KEY-1[A-Z0-9]+/gi, STARS],
  [/\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g, STARS],
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----/g, STARS],
];

/** A section of that name, or a switch, is no secret. */
const HARMLESS = /^(?:\*+|true|false|on|off|null|~|\||>|scram-sha-256|md5)$/i;

/** The text without secrets. `known` are values that must not appear anywhere, in whatever form they stand. */
export function mask(text: string, known: readonly string[]): string {
  const values = known
    .filter((value) => value.length >= SHORTEST_KNOWN)
    .toSorted((a, b) => b.length - a.length);
  let masked = text;
  for (const value of values) {
    for (const form of formsOf(value)) masked = masked.replaceAll(form, STARS);
  }
  for (const [shape, instead] of SHAPES) masked = masked.replace(shape, instead);
  return masked.replace(NAMED, (whole, name: string, value: string) =>
    HARMLESS.test(value.replaceAll(/["']/g, "")) ? whole : `${name}${quoted(value)}`,
  );
}

/** As it stands in plain text, in JSON, in a URL, and in a header. */
const formsOf = (value: string): ReadonlySet<string> =>
  new Set([
    value,
    JSON.stringify(value).slice(1, -1),
    encodeURIComponent(value),
    value.replaceAll("'", "''"),
  ]);

/** What was quoted stays so: JSON remains JSON. */
const quoted = (value: string): string => {
  const quote = /^["']/.exec(value)?.[0] ?? "";
  return `${quote}${STARS}${quote}`;
};
