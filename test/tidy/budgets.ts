// How long may a file be? Small files are what makes this house readable; these numbers keep it so.

export const LINES = {
  file: 400,
  test: 600,
  median: 90,
  percentile95: 250,
} as const;

/** Names that say nothing about what is inside, and so collect everything. */
export const BANNED_NAMES = [
  "base",
  "common",
  "helper",
  "helpers",
  "manager",
  "misc",
  "service",
  "types",
  "util",
  "utils",
] as const;

/** Words the field has left behind; `src/model/wire` alone still speaks them to old tools. */
export const BANNED_WORDS = /\b(?:master|slave|replica)s?\b/i;
export const OLD_WORDS_LIVE_IN = "src/model/wire/";

/** A line, or the line above it, may say why it is an exception: `tidy-allow: the reason`. */
export const EXCEPTION = /tidy-allow: \S/;
