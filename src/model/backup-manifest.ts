// Which files does PostgreSQL say a backup has? Its `backup_manifest`, as the manual describes it.
import { isObject } from "./wire/json.ts";

/** What the server can sum up a file by, of what we can: a name in its manifest and in its BASE_BACKUP command. */
export const FILE_SUMS = ["CRC32C", "SHA256"] as const;
export type FileSum = (typeof FILE_SUMS)[number];

export interface ManifestFile {
  readonly path: string;
  readonly sizeBytes: number;
  /** In hex, as the server writes it. */
  readonly sum: string;
}

export interface BackupManifest {
  readonly files: ReadonlyMap<string, ManifestFile>;
  /** By what all of its files are summed up. */
  readonly summedBy: FileSum;
  /** Of all files together. */
  readonly totalBytes: number;
}

/** Where the last line of the manifest begins: its own SHA-256 is over everything before. */
const LAST_LINE = '"Manifest-Checksum":';

/**
 * The part of the text that its own checksum covers, and that checksum in hex; undefined when it ends early. The hash
 * itself is the caller's to compute.
 */
export function manifestSeal(
  text: string,
): { readonly covered: string; readonly sha256: string } | undefined {
  const at = text.lastIndexOf(LAST_LINE);
  const sha256 = /^"Manifest-Checksum":\s*"([0-9a-f]{64})"\s*\}\s*$/.exec(text.slice(at))?.[1];
  return at < 0 || sha256 === undefined ? undefined : { covered: text.slice(0, at), sha256 };
}

/** Undefined when it is not a manifest that we understand. */
export function parseManifest(text: string): BackupManifest | undefined {
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch {
    return undefined;
  }
  const list = isObject(read) ? read["Files"] : undefined;
  if (!Array.isArray(list)) return undefined;
  const files = new Map<string, ManifestFile>();
  const summedBy = FILE_SUMS.find((sum) => isObject(list[0]) && list[0][ALGORITHM] === sum);
  if (summedBy === undefined) return undefined;
  let totalBytes = 0;
  for (const item of list) {
    const file = fileIn(item, summedBy);
    if (file === undefined) return undefined;
    files.set(file.path, file);
    totalBytes += file.sizeBytes;
  }
  return { files, summedBy, totalBytes };
}

const ALGORITHM = "Checksum-Algorithm";

function fileIn(item: unknown, summedBy: FileSum): ManifestFile | undefined {
  if (!isObject(item) || item[ALGORITHM] !== summedBy) return undefined;
  const path = pathIn(item);
  const { Size: sizeBytes, Checksum: sum } = item;
  if (path === undefined || typeof sizeBytes !== "number" || typeof sum !== "string")
    return undefined;
  return { path, sizeBytes, sum };
}

/** A name that is no UTF-8 is written in hex; we take such a file for one that we cannot judge, and refuse. */
function pathIn(item: Readonly<Record<string, unknown>>): string | undefined {
  const path = item["Path"];
  return typeof path === "string" && isSafePath(path) ? path : undefined;
}

/** Below the directory, and nowhere else: an archive must not write outside of it. */
export const isSafePath = (path: string): boolean =>
  path !== "" &&
  !path.startsWith("/") &&
  !path.includes("\0") &&
  !path.split("/").some((part) => part === ".." || part === "." || part === "");
