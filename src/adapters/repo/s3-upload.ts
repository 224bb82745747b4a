// How does a stream of unknown length become one object? Small ones in one request, large ones in parts; each with the
// SHA-256 of its bytes, and created only when the last of them is there.
import { createHash } from "node:crypto";
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  PutObjectCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import type { PutBytes, PutOptions } from "../../ports/repo.ts";
import { endedBy } from "./bounded.ts";
import type { S3Folder } from "./s3-client.ts";
import { requireAnnounced, Tally } from "./tally.ts";

const MIB = 1024 * 1024;
/** So many parts travel at the same time; each lies in memory. */
const IN_FLIGHT = 3;
const ABORT_LIMIT_MS = 10_000;
const CREATE_ONLY = "*";

/** A store takes 10,000 parts, so the later ones are larger: 1.5 TB in all. */
function partBytes(number: number): number {
  if (number <= 1_000) return 16 * MIB;
  return number <= 5_000 ? 64 * MIB : 256 * MIB;
}

export interface Sending {
  readonly folder: S3Folder;
  readonly key: string;
  readonly announced: PutOptions;
}

/** `failed`: the last request, which creates the object, was refused or its answer was lost; the bytes are known. */
export type Uploaded =
  | (PutBytes & { readonly kind: "stored" })
  | (PutBytes & { readonly kind: "failed"; readonly failure: unknown });

/** Throws what the source failed with, or what kept a part from being stored; then nothing was created. */
export async function upload(
  sending: Sending,
  content: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<Uploaded> {
  const tally = new Tally();
  const parts = partsOf(endedBy(content, signal), tally);
  const first = await parts.next();
  const bytes = first.value ?? Buffer.alloc(0);
  if (first.done === true || bytes.length < partBytes(1)) {
    const went = tally.result();
    requireAnnounced(sending.key, went, sending.announced);
    return settled(went, () => putWhole(sending, bytes, signal));
  }
  return uploadParts(sending, { first: bytes, parts, tally }, signal);
}

async function settled(went: PutBytes, create: () => Promise<void>): Promise<Uploaded> {
  try {
    await create();
    return { kind: "stored", ...went };
  } catch (failure) {
    return { kind: "failed", failure, ...went };
  }
}

async function putWhole(
  { folder, key }: Sending,
  bytes: Uint8Array,
  signal: AbortSignal,
): Promise<void> {
  const command = new PutObjectCommand({
    Bucket: folder.bucket,
    Key: folder.pathOf(key),
    Body: bytes,
    ContentLength: bytes.length,
    IfNoneMatch: CREATE_ONLY,
    ChecksumSHA256: checksum(bytes),
  });
  await folder.client.send(command, { abortSignal: signal });
}

interface Cut {
  readonly first: Uint8Array;
  readonly parts: AsyncIterator<Uint8Array>;
  readonly tally: Tally;
}

async function uploadParts(
  sending: Sending,
  { first, parts, tally }: Cut,
  signal: AbortSignal,
): Promise<Uploaded> {
  const { folder, key } = sending;
  const object = { Bucket: folder.bucket, Key: folder.pathOf(key) };
  const begun = await folder.client.send(
    new CreateMultipartUploadCommand({ ...object, ChecksumAlgorithm: "SHA256" }),
    { abortSignal: signal },
  );
  const open = { ...object, UploadId: begun.UploadId };
  try {
    const done = await sendParts({ folder, open }, following(first, parts), signal);
    const went = tally.result();
    requireAnnounced(key, went, sending.announced);
    const command = new CompleteMultipartUploadCommand({
      ...open,
      IfNoneMatch: CREATE_ONLY,
      MultipartUpload: { Parts: done },
    });
    const outcome = await settled(went, async () => {
      await folder.client.send(command, { abortSignal: signal });
    });
    if (outcome.kind === "failed") await forget(folder, open);
    return outcome;
  } catch (error) {
    await forget(folder, open);
    throw error;
  }
}

interface Upload {
  readonly Bucket: string;
  readonly Key: string;
  readonly UploadId: string | undefined;
}

async function sendParts(
  { folder, open }: { readonly folder: S3Folder; readonly open: Upload },
  parts: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<CompletedPart[]> {
  const sent: Promise<CompletedPart>[] = [];
  for await (const bytes of parts) {
    const number = sent.length + 1;
    const sending = sendPart(number, bytes);
    // It is awaited below; until then a failure must not count as nobody's.
    sending.catch(() => undefined);
    sent.push(sending);
    await sent[number - IN_FLIGHT];
  }
  return Promise.all(sent);

  async function sendPart(PartNumber: number, bytes: Uint8Array): Promise<CompletedPart> {
    const ChecksumSHA256 = checksum(bytes);
    const command = new UploadPartCommand({
      ...open,
      PartNumber,
      Body: bytes,
      ContentLength: bytes.length,
      ChecksumSHA256,
    });
    const { ETag } = await folder.client.send(command, { abortSignal: signal });
    return { PartNumber, ETag, ChecksumSHA256 };
  }
}

/** What was sent of an object that is not to be: the store would keep it, and ask money for it. */
async function forget(folder: S3Folder, open: Upload): Promise<void> {
  const abortSignal = AbortSignal.timeout(ABORT_LIMIT_MS);
  await folder.client
    .send(new AbortMultipartUploadCommand(open), { abortSignal })
    .catch(() => undefined);
}

/** Whether the store refuses bytes that are not those of their checksum. */
export async function refusesDamage(folder: S3Folder, signal: AbortSignal): Promise<boolean> {
  const object = { Bucket: folder.bucket, Key: folder.pathOf("probe/damaged") };
  const bytes = Buffer.from("these bytes");
  try {
    await folder.client.send(
      new PutObjectCommand({
        ...object,
        Body: bytes,
        ChecksumSHA256: checksum(Buffer.from("others")),
      }),
      { abortSignal: signal },
    );
    return false;
  } catch {
    signal.throwIfAborted();
    return true;
  } finally {
    await folder.client.send(new DeleteObjectCommand(object)).catch(() => undefined);
  }
}

async function* partsOf(
  content: AsyncIterable<Uint8Array>,
  tally: Tally,
): AsyncGenerator<Uint8Array, undefined> {
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  let number = 1;
  for await (const bytes of content) {
    tally.add(bytes);
    held.push(bytes);
    heldBytes += bytes.length;
    if (heldBytes < partBytes(number)) continue;
    yield Buffer.concat(held);
    held = [];
    heldBytes = 0;
    number += 1;
  }
  if (heldBytes > 0) yield Buffer.concat(held);
  return undefined;
}

async function* following(
  first: Uint8Array,
  rest: AsyncIterator<Uint8Array>,
): AsyncIterable<Uint8Array> {
  yield first;
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
}

const checksum = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("base64");
