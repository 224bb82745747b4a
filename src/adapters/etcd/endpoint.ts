// What did one etcd member answer to one request, and if nothing: had the request left?
//
// The body is handed to the socket only once the connection (with TLS, the whole handshake) stands, so a failure
// before that point is certain to have changed nothing. After that point only an answer tells.
import * as http from "node:http";
import * as https from "node:https";
import type { Instant } from "../../model/time.ts";
import type { Clock } from "../../ports/clock.ts";

/** PEM texts, already read from their files. */
export interface TlsTexts {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

export interface Limits {
  /** Nothing is sent after this instant. */
  readonly connectBy: Instant;
  readonly answerBy: Instant;
  readonly signal?: AbortSignal | undefined;
}

export type Attempt =
  | { readonly kind: "answer"; readonly status: number; readonly text: string }
  | {
      readonly kind: "failed";
      readonly sent: boolean;
      /** The connection had been idle and broke: the member may well be there. */
      readonly stale: boolean;
      readonly why: string;
    };

export interface Post {
  readonly path: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface Endpoint {
  readonly url: string;
  post(post: Post, limits: Limits): Promise<Attempt>;
  /** Starts a request whose answer goes on and on; the caller destroys it. Never shares a connection. */
  open(post: Post): http.ClientRequest;
  close(): void;
}

const LARGEST_ANSWER = 64 * 1024 * 1024;
const LONGEST_IDLE_SOCKETS = 8;

export function createEndpoint(url: string, tls: TlsTexts | undefined, clock: Clock): Endpoint {
  const secure = url.startsWith("https:");
  const pooled = secure
    ? new https.Agent({ ...tls, keepAlive: true, maxFreeSockets: LONGEST_IDLE_SOCKETS })
    : new http.Agent({ keepAlive: true, maxFreeSockets: LONGEST_IDLE_SOCKETS });
  const single = secure
    ? new https.Agent({ ...tls, keepAlive: false })
    : new http.Agent({ keepAlive: false });

  function request(post: Post, agent: http.Agent): http.ClientRequest {
    const { request: make } = secure ? https : http;
    return make(`${url}${post.path}`, {
      method: "POST",
      agent,
      headers: {
        ...post.headers,
        "content-type": "application/json",
        "content-length": Buffer.byteLength(post.body),
      },
    });
  }

  return {
    url,
    post: (post, limits) => {
      const req = request(post, pooled);
      return exchange(req, { ...limits, body: post.body, secure }, clock);
    },
    open(post) {
      const req = request(post, single);
      req.end(post.body);
      return req;
    },
    close() {
      pooled.destroy();
      single.destroy();
    },
  };
}

interface Exchange extends Limits {
  readonly body: string;
  readonly secure: boolean;
}

function exchange(req: http.ClientRequest, limits: Exchange, clock: Clock): Promise<Attempt> {
  return new Promise((resolve) => {
    let sent = false;
    const finish = (attempt: Attempt): void => {
      connectTimer.cancel();
      answerTimer.cancel();
      limits.signal?.removeEventListener("abort", cancelled);
      resolve(attempt);
    };
    const fail = (why: string, stale = false): void => {
      req.destroy();
      finish({ kind: "failed", sent, stale, why });
    };
    const cancelled = (): void => fail("cancelled");
    const connectTimer = clock.wakeAt(limits.connectBy, () => {
      if (!sent) fail("no connection in time");
    });
    const answerTimer = clock.wakeAt(limits.answerBy, () => fail("no answer in time"));
    limits.signal?.addEventListener("abort", cancelled);
    req.on("error", (error) => fail(reasonOf(error), req.reusedSocket));
    req.on("response", (response) =>
      collect(response, (text) => {
        if (text === undefined) fail("the answer broke off");
        else finish({ kind: "answer", status: response.statusCode ?? 0, text });
      }),
    );
    whenConnected(req, limits.secure, () => {
      sent = true;
      req.end(limits.body);
    });
    if (limits.signal?.aborted === true) cancelled();
  });
}

function whenConnected(req: http.ClientRequest, secure: boolean, run: () => void): void {
  req.once("socket", (socket) => {
    if (req.destroyed) return;
    if (req.reusedSocket) run();
    else socket.once(secure ? "secureConnect" : "connect", run);
  });
}

function collect(response: http.IncomingMessage, done: (text: string | undefined) => void): void {
  const chunks: Buffer[] = [];
  let size = 0;
  response.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    size += chunk.length;
    if (size > LARGEST_ANSWER) response.destroy();
  });
  response.on("error", () => done(undefined));
  response.on("close", () =>
    done(response.complete ? Buffer.concat(chunks).toString("utf8") : undefined),
  );
}

/** The system's name of a network failure says more, and shorter, than its sentence. */
export function reasonOf(error: Error): string {
  const { code } = error as NodeJS.ErrnoException;
  return typeof code === "string" ? code : error.message;
}
