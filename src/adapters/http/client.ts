// One HTTP request with one deadline over everything: connecting, sending, waiting, reading.
import { type IncomingMessage, request as plainRequest } from "node:http";
import { request as tlsRequest } from "node:https";
import { AppError } from "../../model/error.ts";
import type { Secret } from "../../model/secret.ts";
import type { TlsFiles } from "../../model/settings.ts";
import type { Ms } from "../../model/time.ts";
import { readGivenFile } from "../system/given-file.ts";

/** What is shown to and asked of the other side of a TLS connection. */
export interface TlsMaterial {
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
  /** Opens the key. */
  readonly passphrase?: string;
  readonly rejectUnauthorized?: boolean;
}

export interface HttpCall {
  readonly method: "GET" | "POST" | "PATCH" | "PUT" | "DELETE";
  readonly url: string;
  readonly timeoutMs: Ms;
  readonly body?: string;
  readonly credentials?: { readonly username: string; readonly password: Secret | undefined };
  /** A token, where name and password are not what is asked for. */
  readonly authorization?: string;
  readonly tls?: TlsMaterial;
  readonly signal?: AbortSignal;
}

export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
}

const LARGEST_ANSWER = 16 * 1024 * 1024;

/** Throws PEER_UNREACHABLE when no answer came, TIMEOUT when it came too late to count. */
export async function callHttp(call: HttpCall): Promise<HttpAnswer> {
  // A limit that is what was left of another one is seldom a whole number, and a timer takes no other.
  const limit = AbortSignal.timeout(Math.max(0, Math.ceil(call.timeoutMs)));
  const signal = call.signal === undefined ? limit : AbortSignal.any([limit, call.signal]);
  try {
    const response = await send(call, signal);
    return { status: response.statusCode ?? 0, body: await readBody(response, signal) };
  } catch (error) {
    const attempt = `${call.method} ${call.url}`;
    if (limit.aborted) throw new AppError("TIMEOUT", attempt, `limit ${call.timeoutMs} ms`, error);
    if (signal.aborted) throw new AppError("CANCELLED", attempt, "", error);
    throw new AppError("PEER_UNREACHABLE", attempt, causeOf(error), error);
  }
}

function send(call: HttpCall, signal: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const headers: Record<string, string> = { connection: "close", accept: "application/json" };
    if (call.body !== undefined) headers["content-type"] = "application/json";
    if (call.authorization !== undefined) headers["authorization"] = call.authorization;
    if (call.credentials !== undefined) headers["authorization"] = basic(call.credentials);
    const url = new URL(call.url);
    const options = { method: call.method, headers, signal, agent: false as const };
    const outgoing =
      url.protocol === "https:"
        ? tlsRequest(url, { ...options, ...call.tls })
        : plainRequest(url, options);
    outgoing.on("response", resolve);
    outgoing.on("error", reject);
    outgoing.end(call.body);
  });
}

async function readBody(response: IncomingMessage, signal: AbortSignal): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response) {
    signal.throwIfAborted();
    const bytes = Buffer.from(chunk as Uint8Array);
    length += bytes.length;
    if (length > LARGEST_ANSWER) {
      response.destroy();
      throw new Error("the answer is too long");
    }
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString("utf8");
}

const basic = ({ username, password }: NonNullable<HttpCall["credentials"]>): string =>
  `Basic ${Buffer.from(`${username}:${password?.reveal() ?? ""}`).toString("base64")}`;

/** The cause in a few words: the code where there is one, since messages repeat the address. */
function causeOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return causeOf(error.errors[0]);
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  if (code === "ECONNREFUSED") return "connection refused";
  if (code === "ECONNRESET") return "connection reset";
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return "the name is not known";
  if (code === "EHOSTUNREACH" || code === "ENETUNREACH") return "no route to the host";
  return error instanceof Error ? error.message : String(error);
}

/** Reads the certificates of a client. Throws CONFIG_INVALID naming the file that cannot be read. */
export function loadTls(files: TlsFiles | undefined): TlsMaterial {
  return {
    ...(files?.cafile === undefined ? {} : { ca: readGivenFile(files.cafile) }),
    ...(files?.certfile === undefined ? {} : { cert: readGivenFile(files.certfile) }),
    ...(files?.certfile === undefined
      ? {}
      : { key: readGivenFile(files.keyfile ?? files.certfile) }),
    ...(files?.keyPassword === undefined ? {} : { passphrase: files.keyPassword.reveal() }),
  };
}
