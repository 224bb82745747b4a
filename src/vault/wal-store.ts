// How does one repository keep the WAL: each file once, whatever else claims its name?
import { objectIn, unpack, unpackTo } from "../adapters/repo/packing.ts";
import { digestThere, seal } from "../adapters/repo/sealing.ts";
import { asAppError } from "../model/error.ts";
import { endingOf, unpacked, walFileOf, walKey, walPrefix } from "../model/repo-keys.ts";
import type { Compression, Packing } from "../model/repository.ts";
import { parseWalName } from "../model/wal-name.ts";
import type { Repo } from "../ports/repo.ts";
import { PackedOnce } from "./packed-once.ts";
import type { WalFile } from "./wal-file.ts";

const PLAIN: Packing = { compression: "none", encrypted: false };
const COMPRESSIONS: readonly Compression[] = ["zstd", "gzip", "none"];

export interface WalPacking {
  readonly compression: Compression;
  /** Public keys; none: nothing is encrypted. */
  readonly recipients: readonly string[];
  /** Private keys, where there are any: only to read. */
  readonly identities: readonly string[];
}

export type Stored =
  | { readonly kind: "stored" | "same" }
  /** Another content has this name: two histories claim it, and neither is overwritten. */
  | { readonly kind: "conflict"; readonly why: string };

export class WalStore {
  readonly repo: Repo;
  readonly #how: WalPacking;

  constructor(repo: Repo, how: WalPacking) {
    this.repo = repo;
    this.#how = how;
  }

  /**
   * Durable under its own name and content before it answers "stored" or "same". Throws REPO_… With `packed` it is packed
   * once for several repositories.
   */
  async store(
    file: WalFile,
    signal: AbortSignal,
    packed: PackedOnce = new PackedOnce(file, signal),
  ): Promise<Stored> {
    // Looked for first: of many nodes that have the same file, one has to pack it.
    const there = await this.find(file.name, signal);
    if (there !== undefined) return this.#compare(file, there, signal);
    const { compression, recipients } = this.#packingOf(file.name);
    try {
      const sealed = await seal(
        {
          repo: this.repo,
          name: keyOf(file.name, PLAIN),
          packed: (how) => packed.bytes(how),
          digest: file.sha256,
          packing: { compression, recipients },
        },
        signal,
      );
      return { kind: sealed.kind === "stored" ? "stored" : "same" };
    } catch (error) {
      const failure = asAppError(error, "REPO_UNREACHABLE", `storing ${file.name}`);
      if (failure.code === "REPO_CONFLICT") return { kind: "conflict", why: failure.why };
      throw error;
    }
  }

  /** The key under which the file lies, however it was packed in its time; undefined when the store says that it does not. */
  async find(name: string, signal: AbortSignal): Promise<string | undefined> {
    const plain = keyOf(name, PLAIN);
    if (this.repo.kind === "s3") {
      // One request for all of them.
      const keys = (await this.repo.list(plain, signal)).map(({ key }) => key);
      return keys.find((key) => unpacked(key).name === plain);
    }
    for (const ending of this.#endings(name))
      if ((await this.repo.head(plain + ending, signal)) !== undefined) return plain + ending;
    return undefined;
  }

  /** The plain content; undefined when the store says that there is no such file. */
  async read(name: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array> | undefined> {
    const key = await this.find(name, signal);
    return key === undefined ? undefined : this.open(key, signal);
  }

  /** The plain content of an object of any name. */
  async open(key: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    const { identities } = this.#how;
    return unpack(
      await this.repo.get(key, signal),
      { packing: unpacked(key).packing, identities },
      signal,
    );
  }

  /** Writes the plain content into a file, which is made anew; false when the store says that there is no such file. */
  async layDown(name: string, path: string, signal: AbortSignal): Promise<boolean> {
    const key = await this.find(name, signal);
    if (key === undefined) return false;
    const { identities } = this.#how;
    const object = await objectIn(this.repo, key, signal);
    await unpackTo(path, { object, packing: unpacked(key).packing, identities }, signal);
    return true;
  }

  /** The content of a small file as text, by the same rule. */
  async textOf(name: string, signal: AbortSignal): Promise<string | undefined> {
    const content = await this.read(name, signal);
    if (content === undefined) return undefined;
    const chunks: Uint8Array[] = [];
    for await (const chunk of content) chunks.push(chunk);
    return Buffer.concat(chunks).toString("utf8");
  }

  async #compare(file: WalFile, key: string, signal: AbortSignal): Promise<Stored> {
    const theirs = await digestThere(this.repo, key, signal);
    if (theirs === file.sha256) return { kind: "same" };
    const why = `ours has the SHA-256 ${short(file.sha256)}, the one there ${short(theirs)}`;
    return { kind: "conflict", why };
  }

  /** A history says nothing secret, and every node must be able to read it. */
  #packingOf(name: string): WalPacking {
    if (!name.endsWith(".history")) return this.#how;
    return { compression: "none", recipients: [], identities: [] };
  }

  /** The way things are packed now first: nearly always the right one. */
  #endings(name: string): readonly string[] {
    const { compression, recipients } = this.#packingOf(name);
    const now = endingOf({ compression, encrypted: recipients.length > 0 });
    const all = [false, true].flatMap((encrypted) =>
      COMPRESSIONS.map((one) => endingOf({ compression: one, encrypted })),
    );
    return [...new Set([now, ...all])];
  }
}

/** PostgreSQL's name of the last whole segment of a timeline; undefined when there is none. */
export async function lastSegmentOf(
  repo: Repo,
  timeline: number,
  signal: AbortSignal,
): Promise<string | undefined> {
  const names = (await repo.list(walPrefix(timeline), signal)).map(({ key }) => walFileOf(key));
  return names.findLast((name) => name !== undefined && parseWalName(name)?.kind === "segment");
}

function keyOf(name: string, packing: Packing): string {
  const key = walKey(name, packing);
  if (key === undefined) throw new Error(`${name} is no file of the WAL`);
  return key;
}

const short = (hash: string | undefined): string =>
  hash === undefined ? "unknown" : `${hash.slice(0, 12)}…`;
