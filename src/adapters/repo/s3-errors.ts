// What does a failure of an object store mean? By its codes, never by its words.
import { AppError, asAppError, type ErrorCode } from "../../model/error.ts";

interface Failure {
  readonly name: string;
  readonly status: number | undefined;
}

function failureOf(error: unknown): Failure {
  if (!(error instanceof Error)) return { name: "", status: undefined };
  const { $metadata } = error as { $metadata?: { httpStatusCode?: number } };
  return { name: error.name, status: $metadata?.httpStatusCode };
}

/** The store says that there is no such object; a missing bucket is another thing. */
export function isAbsent(error: unknown): boolean {
  const { name, status } = failureOf(error);
  return status === 404 && name !== "NoSuchBucket";
}

/** The store refuses since an object is there, or another put to it is under way. */
export function isThere(error: unknown): boolean {
  const { status } = failureOf(error);
  return status === 412 || status === 409;
}

const OF_NAME: Readonly<Record<string, ErrorCode>> = {
  NoSuchBucket: "REPO_REFUSED",
  NoSuchKey: "REPO_MISSING",
  NotFound: "REPO_MISSING",
  BadDigest: "REPO_DAMAGED",
  XAmzContentChecksumMismatch: "REPO_DAMAGED",
  QuotaExceeded: "REPO_FULL",
  InsufficientStorage: "REPO_FULL",
  XMinioStorageFull: "REPO_FULL",
};

const OF_STATUS: Readonly<Record<number, ErrorCode>> = {
  301: "REPO_REFUSED",
  400: "REPO_REFUSED",
  401: "REPO_REFUSED",
  403: "REPO_REFUSED",
  404: "REPO_MISSING",
  507: "REPO_FULL",
};

export function asRepoError(error: unknown, attempt: string): AppError {
  if (error instanceof AppError) return error;
  const { name, status } = failureOf(error);
  const code = OF_NAME[name] ?? OF_STATUS[status ?? 0] ?? "REPO_UNREACHABLE";
  const words = asAppError(error, code, attempt).why;
  return new AppError(code, attempt, [name, status, words].filter(Boolean).join(", "), error);
}
