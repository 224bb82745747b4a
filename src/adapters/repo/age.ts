// How is an object encrypted so that only somebody else can read it, with nothing but the `age` format?
//
// The header (who can read) is made and opened by the library; the payload goes through node:crypto, since the library's
// own arithmetic in JavaScript is ten times slower. The format: https://c2sp.org/age
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";
import { Decrypter, Encrypter, type Recipient, Stanza } from "age-encryption";
import { AppError } from "../../model/error.ts";

const CHUNK = 64 * 1024;
const TAG = 16;
const NONCE = 16;
/** A header has one line or two for each reader; more than this is no header. */
const LONGEST_HEADER = 64 * 1024;
const CIPHER = "chacha20-poly1305";
/** A line in the header that readers of the format pass over: what the plain content is, for who cannot read it. */
const DIGEST_STANZA = "understudy/sha256";

export interface AgeOptions {
  /** Public keys, `age1…`; at least one. */
  readonly recipients: readonly string[];
  /** SHA-256 of the plain content in hex, when it is known: it can then be told without a private key. */
  readonly digest?: string | undefined;
}

export async function* encryptAge(
  content: AsyncIterable<Uint8Array>,
  options: AgeOptions,
): AsyncIterable<Uint8Array> {
  const { header, fileKey } = await makeHeader(options);
  const nonce = randomBytes(NONCE);
  const key = payloadKey(fileKey, nonce);
  yield Buffer.concat([header, nonce]);
  for await (const { bytes, at, isLast } of inChunks(content, CHUNK)) {
    const cipher = createCipheriv(CIPHER, key, chunkNonce(at, isLast), { authTagLength: TAG });
    yield Buffer.concat([cipher.update(bytes), cipher.final(), cipher.getAuthTag()]);
  }
}

/** `identities`: private keys, `AGE-SECRET-KEY-1…`. Throws REPO_KEY_WRONG, or REPO_DAMAGED before a wrong byte is given. */
export async function* decryptAge(
  content: AsyncIterable<Uint8Array>,
  identities: readonly string[],
): AsyncIterable<Uint8Array> {
  const { header, rest } = await splitHeader(content);
  const fileKey = await openHeader(header, identities);
  let key: Uint8Array | undefined;
  for await (const { bytes, at, isLast } of inChunks(rest, CHUNK + TAG, NONCE)) {
    if (at === -1) {
      key = payloadKey(fileKey, bytes);
      continue;
    }
    if (key === undefined || bytes.length < TAG) throw damaged("it ends early");
    yield openChunk(key, bytes, chunkNonce(at, isLast));
  }
}

/** What the header says of the plain content; undefined when it says nothing. Needs no private key, and proves nothing. */
export async function digestOfAge(content: AsyncIterable<Uint8Array>): Promise<string | undefined> {
  const { header, rest } = await splitHeader(content);
  await rest[Symbol.asyncIterator]().return?.();
  const line = new RegExp(`^-> ${DIGEST_STANZA} ([0-9a-f]{64})$`, "m");
  return line.exec(Buffer.from(header).toString("latin1"))?.[1];
}

async function makeHeader({ recipients, digest }: AgeOptions): Promise<{
  header: Uint8Array;
  fileKey: Uint8Array;
}> {
  const seen: { fileKey?: Uint8Array } = {};
  const witness: Recipient = {
    wrapFileKey: (fileKey) => {
      seen.fileKey = Uint8Array.from(fileKey);
      return digest === undefined ? [] : [new Stanza([DIGEST_STANZA, digest], new Uint8Array())];
    },
  };
  const encrypter = new Encrypter();
  for (const recipient of [...recipients, witness]) encrypter.addRecipient(recipient);
  const empty = await encrypter.encrypt(new Uint8Array());
  if (seen.fileKey === undefined) throw new Error("the library made a header without a key");
  // After the header of an empty file come its nonce and one empty chunk.
  return { header: empty.subarray(0, empty.length - NONCE - TAG), fileKey: seen.fileKey };
}

async function openHeader(header: Uint8Array, identities: readonly string[]): Promise<Uint8Array> {
  const attempt = "opening an encrypted object";
  if (identities.length === 0)
    throw new AppError("REPO_KEY_WRONG", attempt, "no private key is named");
  const decrypter = new Decrypter();
  try {
    for (const identity of identities) decrypter.addIdentity(identity);
    return await decrypter.decryptHeader(header);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new AppError("REPO_KEY_WRONG", attempt, why, error);
  }
}

interface Split {
  readonly header: Uint8Array;
  readonly rest: AsyncIterable<Uint8Array>;
}

/** The header ends with the line that begins with three dashes. */
async function splitHeader(content: AsyncIterable<Uint8Array>): Promise<Split> {
  const source = content[Symbol.asyncIterator]();
  let read: Buffer = Buffer.alloc(0);
  for (;;) {
    const mac = read.indexOf("\n--- ");
    const end = mac < 0 ? -1 : read.indexOf("\n", mac + 1);
    if (end >= 0)
      return { header: read.subarray(0, end + 1), rest: following(read.subarray(end + 1), source) };
    const next = await source.next();
    if (next.done === true || read.length > LONGEST_HEADER)
      throw damaged("it has no header of age");
    read = Buffer.concat([read, next.value]);
  }
}

async function* following(
  first: Uint8Array,
  source: AsyncIterator<Uint8Array>,
): AsyncIterable<Uint8Array> {
  try {
    yield first;
    for (let next = await source.next(); next.done !== true; next = await source.next())
      yield next.value;
  } finally {
    await source.return?.();
  }
}

interface Chunk {
  readonly bytes: Uint8Array;
  /** Counted from 0; -1 for the piece of another length at the beginning. */
  readonly at: number;
  readonly isLast: boolean;
}

/**
 * Pieces of `size` bytes; the last one is known as such, and is empty only when there is nothing at all. `lead` bytes at
 * the beginning come as a piece of their own.
 */
async function* inChunks(
  content: AsyncIterable<Uint8Array>,
  size: number,
  lead = 0,
): AsyncIterable<Chunk> {
  let held: Buffer = Buffer.alloc(0);
  let at = lead > 0 ? -1 : 0;
  for await (const more of content) {
    held = held.length === 0 ? Buffer.from(more) : Buffer.concat([held, more]);
    // A full piece is kept back until more comes: it could be the last one.
    for (let length = at < 0 ? lead : size; held.length > length; length = size) {
      yield { bytes: held.subarray(0, length), at, isLast: false };
      held = held.subarray(length);
      at += 1;
    }
  }
  yield { bytes: held, at, isLast: true };
}

const payloadKey = (fileKey: Uint8Array, nonce: Uint8Array): Uint8Array =>
  new Uint8Array(hkdfSync("sha256", fileKey, nonce, "payload", 32));

/** Eleven bytes that count, and one that says whether it is the last piece. */
function chunkNonce(at: number, isLast: boolean): Uint8Array {
  const nonce = Buffer.alloc(12);
  nonce.writeUIntBE(at, 5, 6);
  nonce[11] = isLast ? 1 : 0;
  return nonce;
}

function openChunk(key: Uint8Array, bytes: Uint8Array, nonce: Uint8Array): Uint8Array {
  const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG });
  decipher.setAuthTag(bytes.subarray(bytes.length - TAG));
  const plain = decipher.update(bytes.subarray(0, bytes.length - TAG));
  try {
    decipher.final();
  } catch (error) {
    throw damaged("a piece was changed or is missing", error);
  }
  return plain;
}

const damaged = (why: string, cause?: unknown): AppError =>
  new AppError("REPO_DAMAGED", "opening an encrypted object", why, cause);
