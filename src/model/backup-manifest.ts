// Which files does PostgreSQL say a backup has? Its `backup_manifest`, as the manual describes it.
import { isObject } from "./wire/json.ts";

export interface ManifestFile {
  readonly path: string;
  readonly sizeBytes: number;
  /** SHA-256 in hex; undefined when the server kept none. */
  readonly sha256: string | undefined;
}

export interface BackupManifest {
  readonly files: ReadonlyMap<string, ManifestFile>;
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
  let totalBytes = 0;
  for (const item of list) {
    const file = fileIn(item);
    if (file === undefined) return undefined;
    files.set(file.path, file);
    totalBytes += file.sizeBytes;
  }
  return { files, totalBytes };
}

function fileIn(item: unknown): ManifestFile | undefined {
  if (!isObject(item)) return undefined;
  const path = pathIn(item);
  const sizeBytes = item["Size"];
  if (path === undefined || typeof sizeBytes !== "number") return undefined;
  const checksum = item["Checksum"];
  const isSha256 = item["Checksum-Algorithm"] === "SHA256" && typeof checksum === "string";
  return { path, sizeBytes, sha256: isSha256 ? checksum : undefined };
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
