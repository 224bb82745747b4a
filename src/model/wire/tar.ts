// What is in an archive as PostgreSQL sends it? Plain ustar, read piece by piece as the bytes come.
import { AppError } from "../error.ts";

export interface TarEntry {
  readonly path: string;
  readonly kind: "file" | "directory" | "link";
  readonly sizeBytes: number;
}

/** Is told of each entry, then of its bytes, then that it is whole. */
export interface TarVisitor {
  begin(entry: TarEntry): void;
  data(bytes: Uint8Array): void;
  end(): void;
}

export interface TarReader {
  push(chunk: Uint8Array): void;
  /** The archive ends here. Throws REPO_DAMAGED when it ends in the middle of something. */
  finish(): void;
}

const BLOCK = 512;
const SIZE = { from: 124, to: 136 };
const CHECKSUM = { from: 148, to: 156 };
const TYPE = 156;
const KINDS: Readonly<Record<string, TarEntry["kind"]>> = {
  "0": "file",
  "\0": "file",
  "5": "directory",
  "2": "link",
};

/** Throws REPO_DAMAGED at a header that PostgreSQL would not have written. */
export function createTarReader(visitor: TarVisitor): TarReader {
  const header = new Uint8Array(BLOCK);
  let held = 0; // Bytes of the header that have come.
  let open = false; // An entry has begun.
  let left = 0; // Bytes of the entry still to come.
  let padding = 0; // Zeroes behind it.
  let isOver = false; // The block of zeroes that ends an archive was seen.

  function takeHeader(): void {
    held = 0;
    if (header.every((byte) => byte === 0)) {
      isOver = true;
      return;
    }
    const entry = parseHeader(header);
    visitor.begin(entry);
    open = true;
    left = entry.sizeBytes;
    padding = (BLOCK - (entry.sizeBytes % BLOCK)) % BLOCK;
    endIfWhole();
  }

  function endIfWhole(): void {
    if (!open || left > 0) return;
    open = false;
    visitor.end();
  }

  /** Takes what belongs to the thing at hand; answers how many bytes that were. */
  function takeSome(rest: Uint8Array): number {
    if (left > 0) {
      const bytes = rest.subarray(0, left);
      visitor.data(bytes);
      left -= bytes.length;
      endIfWhole();
      return bytes.length;
    }
    if (padding > 0) {
      const skipped = Math.min(padding, rest.length);
      padding -= skipped;
      return skipped;
    }
    const part = rest.subarray(0, BLOCK - held);
    header.set(part, held);
    held += part.length;
    if (held === BLOCK) takeHeader();
    return part.length;
  }

  return {
    push(chunk) {
      let at = 0;
      while (at < chunk.length && !isOver) at += takeSome(chunk.subarray(at));
    },
    finish() {
      if (!isOver || open) throw damaged("it ends early");
    },
  };
}

function parseHeader(header: Uint8Array): TarEntry {
  if (sumOf(header) !== octal(header, CHECKSUM)) throw damaged("a header's checksum is wrong");
  const kind = KINDS[String.fromCharCode(header[TYPE] ?? 0)];
  const path = textAt(header, 0, 100).replace(/\/+$/, "");
  const sizeBytes = numberAt(header);
  if (kind === undefined || path === "" || !Number.isSafeInteger(sizeBytes)) {
    throw damaged(`the entry "${path}" is of no kind that PostgreSQL writes`);
  }
  return { path: path.replace(/^\.\//, ""), kind, sizeBytes: kind === "file" ? sizeBytes : 0 };
}

const damaged = (why: string): AppError => new AppError("REPO_DAMAGED", "reading an archive", why);

/** The checksum is counted with its own field full of spaces. */
function sumOf(header: Uint8Array): number {
  let sum = 0;
  for (const [at, byte] of header.entries()) {
    sum += at >= CHECKSUM.from && at < CHECKSUM.to ? 0x20 : byte;
  }
  return sum;
}

/** Octal digits, or from 8 GB on a number of eleven bytes behind one that says so. */
function numberAt(header: Uint8Array): number {
  const first = header[SIZE.from] ?? 0;
  if (first < 0x80) return octal(header, SIZE);
  return header
    .subarray(SIZE.from + 1, SIZE.to)
    .reduce((number, byte) => number * 256 + byte, first & 0x7f);
}

const octal = (header: Uint8Array, { from, to }: { from: number; to: number }): number =>
  Number.parseInt(textAt(header, from, to).trim() || "0", 8);

function textAt(header: Uint8Array, from: number, to: number): string {
  const field = header.subarray(from, to);
  const end = field.indexOf(0);
  return new TextDecoder().decode(end < 0 ? field : field.subarray(0, end));
}
