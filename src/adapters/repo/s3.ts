// A repository in a bucket of an object store that speaks S3. Only in the worker's bundle: the client is heavy.
//
// `If-None-Match: *` lets the store itself refuse a second object. A store that does not know the condition would take it,
// so we look first as well; the probe says which kind it is.
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  type ListObjectsV2CommandOutput,
} from "@aws-sdk/client-s3";
import { AppError } from "../../model/error.ts";
import type { S3Place } from "../../model/repository.ts";
import type { PutBytes, PutOutcome, Repo, StoredObject } from "../../ports/repo.ts";
import { endedBy, whole } from "./bounded.ts";
import { probeByDoing } from "./probe.ts";
import { createClient, type S3Folder } from "./s3-client.ts";
import { asRepoError, isAbsent, isThere } from "./s3-errors.ts";
import { refusesDamage, upload } from "./s3-upload.ts";
import { requireAnnounced, tallyOf } from "./tally.ts";

export interface S3Options {
  readonly name: string;
  readonly settings: S3Place;
  /** Folder of the cluster below the prefix. */
  readonly place: string;
}

export function createS3Repo({ name, settings, place }: S3Options): Repo {
  const prefix = settings.prefix === "" ? `${place}/` : `${settings.prefix}/${place}/`;
  const folder: S3Folder = {
    client: createClient(settings),
    bucket: settings.bucket,
    pathOf: (key) => prefix + key,
  };
  const run = async <T>(
    attempt: string,
    signal: AbortSignal,
    work: () => Promise<T>,
  ): Promise<T> => {
    signal.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      signal.throwIfAborted();
      throw asRepoError(error, `${attempt} in the repository ${name}`);
    }
  };
  const repo: Repo = {
    name,
    kind: "s3",
    put: (key, content, announced, signal) =>
      run(`putting ${key}`, signal, async () => {
        if ((await head(folder, key, signal)) !== undefined)
          return compare(folder, key, await tallyOf(endedBy(content, signal)), signal);
        const sending = { folder, key, announced };
        const went = await upload(sending, content, signal);
        if (went.kind === "stored") return went;
        requireAnnounced(key, went, announced);
        return lookAgain(folder, key, went, signal);
      }),
    get: (key, signal) => run(`reading ${key}`, signal, () => read(folder, key, signal)),
    fileOf: () => undefined,
    head: (key, signal) => run(`looking for ${key}`, signal, () => head(folder, key, signal)),
    list: (wanted, signal) =>
      run(`listing ${wanted}`, signal, () => listAll(folder, prefix, wanted, signal)),
    remove: (key, signal) =>
      run(`removing ${key}`, signal, async () => {
        await folder.client.send(new DeleteObjectCommand(at(folder, key)), { abortSignal: signal });
      }),
    probe: async (signal) => {
      const powers = await probeByDoing(repo, signal);
      if (powers.problems.length > 0) return powers;
      return { ...powers, checksums: await refusesDamage(folder, signal) };
    },
  };
  return repo;
}

const at = (folder: S3Folder, key: string) => ({ Bucket: folder.bucket, Key: folder.pathOf(key) });

async function head(
  folder: S3Folder,
  key: string,
  signal: AbortSignal,
): Promise<StoredObject | undefined> {
  try {
    const found = await folder.client.send(new HeadObjectCommand(at(folder, key)), {
      abortSignal: signal,
    });
    return {
      key,
      sizeBytes: found.ContentLength ?? 0,
      storedAtMs: found.LastModified?.getTime() ?? 0,
    };
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

/** After a refusal or a lost answer: is it there, and is it ours? REPO_UNKNOWN when nobody can say. */
async function lookAgain(
  folder: S3Folder,
  key: string,
  went: PutBytes & { readonly failure: unknown },
  signal: AbortSignal,
): Promise<PutOutcome> {
  const bytes: PutBytes = { sizeBytes: went.sizeBytes, sha256: went.sha256 };
  let found: StoredObject | undefined;
  try {
    found = await head(folder, key, signal);
    if (found !== undefined) return await compare(folder, key, bytes, signal);
  } catch (error) {
    signal.throwIfAborted();
    throw new AppError(
      "REPO_UNKNOWN",
      `putting ${key}`,
      asRepoError(error, "looking again").message,
      went.failure,
    );
  }
  if (isThere(went.failure))
    throw new AppError(
      "REPO_UNKNOWN",
      `putting ${key}`,
      "refused as existing, and then it was gone",
    );
  throw went.failure;
}

async function compare(
  folder: S3Folder,
  key: string,
  went: PutBytes,
  signal: AbortSignal,
): Promise<PutOutcome> {
  const there = await tallyOf(await read(folder, key, signal));
  return { kind: there.sha256 === went.sha256 ? "exists-same" : "exists-different", ...went };
}

async function read(
  folder: S3Folder,
  key: string,
  signal: AbortSignal,
): Promise<AsyncIterable<Uint8Array>> {
  const { Body, ContentLength: sizeBytes } = await folder.client.send(
    new GetObjectCommand({ ...at(folder, key), ChecksumMode: "ENABLED" }),
    { abortSignal: signal },
  );
  const content = (Body as AsyncIterable<Uint8Array> | undefined) ?? nothing();
  const attempt = `reading ${key} from the repository`;
  return whole({ content, sizeBytes, attempt, asRepoError }, signal);
}

/** Page by page; a page that says that there is more and not where is no complete list. */
async function listAll(
  folder: S3Folder,
  prefix: string,
  wanted: string,
  signal: AbortSignal,
): Promise<readonly StoredObject[]> {
  const found: StoredObject[] = [];
  let token: string | undefined;
  do {
    const page: ListObjectsV2CommandOutput = await folder.client.send(
      new ListObjectsV2Command({
        Bucket: folder.bucket,
        Prefix: prefix + wanted,
        ...(token === undefined ? {} : { ContinuationToken: token }),
      }),
      { abortSignal: signal },
    );
    for (const { Key, Size, LastModified } of page.Contents ?? []) {
      if (Key === undefined || !Key.startsWith(prefix + wanted)) continue;
      const key = Key.slice(prefix.length);
      found.push({ key, sizeBytes: Size ?? 0, storedAtMs: LastModified?.getTime() ?? 0 });
    }
    token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
    if (page.IsTruncated === true && token === undefined)
      throw new AppError("REPO_UNREACHABLE", `listing ${wanted}`, "the list is not complete");
  } while (token !== undefined);
  return found.toSorted((a, b) => (a.key < b.key ? -1 : 1));
}

async function* nothing(): AsyncIterable<Uint8Array> {
  yield Buffer.alloc(0);
}
