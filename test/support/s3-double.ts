// A store that speaks S3 as strictly as the tests need it: signatures, conditions, checksums, and faults on request.
import { createHash, createHmac } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

const SECRET = "a secret of the tests";
const REGION = "test-1";

/** What goes wrong with the next request of a method, once or as often as told. */
export type S3Fault =
  /** Answered with this status, nothing done. */
  | { readonly kind: "status"; readonly status: number; readonly code: string }
  /** Done, and the connection is cut before the answer. */
  | { readonly kind: "lost-answer" }
  /** The body of the answer ends early. */
  | { readonly kind: "truncated" }
  /** One byte of the body of the answer is another. */
  | { readonly kind: "wrong-byte" }
  /** Refuses no second object and checks no checksum: a store that knows no conditions. */
  | { readonly kind: "weak" };

interface Planned {
  readonly when: (method: string, path: string) => boolean;
  readonly fault: S3Fault;
  times: number;
}

interface Stored {
  readonly bytes: Buffer;
  readonly at: Date;
}

export class S3Double implements AsyncDisposable {
  readonly keys = { accessKeyId: "tests", secretAccessKey: SECRET };
  readonly region = REGION;
  readonly bucket = "backups";
  readonly objects = new Map<string, Stored>();
  readonly uploads = new Map<string, Map<number, Buffer>>();
  /** Keys a page of a listing holds at most. */
  pageSize = 2;
  /** Every request: method and path. */
  readonly seen: string[] = [];
  readonly #planned: Planned[] = [];
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    server.on("request", (request, response) => {
      this.#answer(request, response).catch((error: unknown) => {
        response.writeHead(500).end(String(error));
      });
    });
  }

  static async start(): Promise<S3Double> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new S3Double(server);
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  plan(fault: S3Fault, when: Planned["when"], times = 1): void {
    this.#planned.push({ when, fault, times });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #faultFor(method: string, path: string): S3Fault | undefined {
    const planned = this.#planned.find((one) => one.times > 0 && one.when(method, path));
    if (planned !== undefined) planned.times -= 1;
    return planned?.fault;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", "http://store");
    const method = request.method ?? "";
    const body = await bodyOf(request);
    this.seen.push(`${method} ${url.pathname}${url.search}`);
    const fault = this.#faultFor(method, url.pathname);
    const refusal = whyUnsigned(request, url, body) ?? plannedRefusal(fault);
    if (refusal !== undefined) {
      send(response, refusal);
      return;
    }
    const answer = this.#carryOut({ request, url, method, body, isWeak: fault?.kind === "weak" });
    if (fault?.kind === "lost-answer") response.destroy();
    else send(response, answer, fault);
  }

  #carryOut(asked: Asked): Answer {
    const { url, method, body } = asked;
    const [, bucket = "", ...rest] = decodeURIComponent(url.pathname).split("/");
    const key = rest.join("/");
    if (bucket !== this.bucket) return failure(404, "NoSuchBucket");
    const uploadId = url.searchParams.get("uploadId");
    if (method === "GET" && key === "") return this.#list(url);
    if (method === "POST" && url.searchParams.has("uploads")) return this.#begin();
    if (uploadId !== null) return this.#part(asked, key, uploadId);
    if (method === "PUT") return this.#put(key, body, asked);
    const found = this.objects.get(key);
    if (method === "DELETE") {
      this.objects.delete(key);
      return { status: 204 };
    }
    if (found === undefined) return failure(404, "NoSuchKey");
    const headers = {
      "last-modified": found.at.toUTCString(),
      "content-length": String(found.bytes.length),
      "x-amz-checksum-sha256": digest(found.bytes),
    };
    return { status: 200, headers, ...(method === "HEAD" ? {} : { body: found.bytes }) };
  }

  #put(key: string, bytes: Buffer, { request, isWeak }: Asked): Answer {
    const announced = request.headers["x-amz-checksum-sha256"];
    if (!isWeak && announced !== undefined && announced !== digest(bytes))
      return failure(400, "BadDigest");
    const isConditional = request.headers["if-none-match"] === "*";
    if (!isWeak && isConditional && this.objects.has(key))
      return failure(412, "PreconditionFailed");
    this.objects.set(key, { bytes, at: new Date() });
    return { status: 200, headers: { etag: `"${digest(bytes)}"` } };
  }

  #begin(): Answer {
    const id = `upload-${this.uploads.size + 1}`;
    this.uploads.set(id, new Map());
    return xml(
      `<InitiateMultipartUploadResult><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`,
    );
  }

  #part(asked: Asked, key: string, uploadId: string): Answer {
    const { method, url, body, request } = asked;
    const upload = this.uploads.get(uploadId);
    if (upload === undefined) return failure(404, "NoSuchUpload");
    if (method === "DELETE") {
      this.uploads.delete(uploadId);
      return { status: 204 };
    }
    if (method === "PUT") {
      if (request.headers["x-amz-checksum-sha256"] !== digest(body))
        return failure(400, "BadDigest");
      upload.set(Number(url.searchParams.get("partNumber")), body);
      return { status: 200, headers: { etag: `"${digest(body)}"` } };
    }
    const parts = [...upload].toSorted(([a], [b]) => a - b).map(([, bytes]) => bytes);
    const named = body.toString("utf8").match(/<PartNumber>/g)?.length;
    if (named !== parts.length) return failure(400, "InvalidPart");
    const answer = this.#put(key, Buffer.concat(parts), { ...asked, request: bare(request) });
    if (answer.status !== 200) return answer;
    this.uploads.delete(uploadId);
    return xml("<CompleteMultipartUploadResult><ETag>x</ETag></CompleteMultipartUploadResult>");
  }

  #list(url: URL): Answer {
    const prefix = url.searchParams.get("prefix") ?? "";
    const after = url.searchParams.get("continuation-token") ?? "";
    const keys = [...this.objects.keys()]
      .toSorted()
      .filter((k) => k.startsWith(prefix) && k > after);
    const page = keys.slice(0, this.pageSize);
    const more = keys.length > page.length;
    const contents = page.map((key) => {
      const { bytes, at } = this.objects.get(key) ?? { bytes: Buffer.alloc(0), at: new Date() };
      return `<Contents><Key>${key}</Key><Size>${bytes.length}</Size><LastModified>${at.toISOString()}</LastModified></Contents>`;
    });
    const next = more ? `<NextContinuationToken>${page.at(-1)}</NextContinuationToken>` : "";
    return xml(
      `<ListBucketResult><IsTruncated>${more}</IsTruncated>${next}${contents.join("")}</ListBucketResult>`,
    );
  }
}

interface Asked {
  readonly request: Pick<IncomingMessage, "headers">;
  readonly url: URL;
  readonly method: string;
  readonly body: Buffer;
  readonly isWeak: boolean;
}

interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer;
}

const digest = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("base64");

const xml = (text: string, status = 200): Answer => ({
  status,
  headers: { "content-type": "application/xml" },
  body: Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>${text}`),
});

const failure = (status: number, code: string): Answer =>
  xml(`<Error><Code>${code}</Code><Message>${code}</Message></Error>`, status);

/** The condition of the last request stays, the checksum of its XML does not count for the object. */
const bare = ({ headers }: Pick<IncomingMessage, "headers">): Pick<IncomingMessage, "headers"> => ({
  headers: { "if-none-match": headers["if-none-match"] },
});

function plannedRefusal(fault: S3Fault | undefined): Answer | undefined {
  return fault?.kind === "status" ? failure(fault.status, fault.code) : undefined;
}

function send(response: ServerResponse, answer: Answer, fault?: S3Fault): void {
  const body = Buffer.from(answer.body ?? Buffer.alloc(0));
  const isBroken = fault?.kind === "truncated";
  if (fault?.kind === "wrong-byte") body[0] = (body[0] ?? 0) ^ 1;
  response.writeHead(answer.status, {
    ...(answer.body === undefined ? {} : { "content-length": String(body.length) }),
    ...answer.headers,
  });
  if (!isBroken) response.end(body);
  else response.write(body.subarray(0, Math.floor(body.length / 2)), () => response.destroy());
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

/** Signature version 4 over method, path, query, signed headers and body; undefined when it is right. */
function whyUnsigned(request: IncomingMessage, url: URL, body: Buffer): Answer | undefined {
  const { authorization = "" } = request.headers;
  const match =
    /^AWS4-HMAC-SHA256 Credential=tests\/(\d{8})\/([\w-]+)\/s3\/aws4_request, SignedHeaders=([\w;-]+), Signature=([0-9a-f]{64})$/.exec(
      authorization,
    );
  if (match === null) return failure(403, "AccessDenied");
  const [, day = "", region = "", signed = "", signature = ""] = match;
  const hashed = String(request.headers["x-amz-content-sha256"]);
  if (hashed !== createHash("sha256").update(body).digest("hex") && hashed !== "UNSIGNED-PAYLOAD")
    return failure(400, "XAmzContentSHA256Mismatch");
  const query = [...url.searchParams]
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .toSorted()
    .join("&");
  const headers = signed
    .split(";")
    .map((name) => `${name}:${String(request.headers[name]).trim()}\n`);
  const canonical = [request.method, url.pathname, query, headers.join(""), signed, hashed].join(
    "\n",
  );
  const date = String(request.headers["x-amz-date"]);
  const scope = `${day}/${region}/s3/aws4_request`;
  const hash = createHash("sha256").update(canonical).digest("hex");
  const toSign = ["AWS4-HMAC-SHA256", date, scope, hash].join("\n");
  const key = [day, region, "s3", "aws4_request"].reduce<Buffer>(
    (secret, part) => createHmac("sha256", secret).update(part).digest(),
    Buffer.from(`AWS4${SECRET}`),
  );
  const right = createHmac("sha256", key).update(toSign).digest("hex");
  return right === signature ? undefined : failure(403, "SignatureDoesNotMatch");
}

const encode = (text: string): string =>
  encodeURIComponent(text).replace(
    /[!'()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
