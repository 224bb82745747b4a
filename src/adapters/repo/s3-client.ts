// How do we reach an object store? Keys, address, limits; everything that Amazon's client assumes is said here.
import { readFileSync } from "node:fs";
import { Agent } from "node:https";
import { S3Client } from "@aws-sdk/client-s3";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { AppError } from "../../model/error.ts";
import type { S3Key, S3Place } from "../../model/repository.ts";
import { SILENCE_LIMIT_MS } from "./bounded.ts";

/** A bucket's objects below one prefix, and the client that reaches them. */
export interface S3Folder {
  readonly client: S3Client;
  readonly bucket: string;
  /** Name of the object in the bucket. */
  pathOf(key: string): string;
}

const CONNECT_LIMIT_MS = 5_000;
/** A request that fails in passing (503, a broken connection) is sent again so many times in all. */
const ATTEMPTS = 4;

export function createClient(place: S3Place): S3Client {
  const { endpoint, keys, cafile } = place;
  return new S3Client({
    region: place.region,
    forcePathStyle: place.pathStyle,
    maxAttempts: ATTEMPTS,
    // Other stores than Amazon's refuse the checksums that it adds to everything; ours are named where we want them.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(keys === undefined
      ? {}
      : {
          credentials: {
            accessKeyId: textOf(keys.accessKey),
            secretAccessKey: textOf(keys.secretKey),
          },
        }),
    requestHandler: new NodeHttpHandler({
      connectionTimeout: CONNECT_LIMIT_MS,
      requestTimeout: SILENCE_LIMIT_MS,
      throwOnRequestTimeout: true,
      socketTimeout: SILENCE_LIMIT_MS,
      ...(cafile === undefined
        ? {}
        : { httpsAgent: new Agent({ keepAlive: true, ca: readText(cafile) }) }),
    }),
  });
}

const textOf = (key: S3Key): string =>
  key.kind === "text" ? key.text.reveal() : readText(key.file).trim();

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new AppError("CONFIG_INVALID", `reading ${file}`, why, error);
  }
}
