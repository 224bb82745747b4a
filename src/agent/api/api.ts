// The REST API as a whole: one socket, health checks first, everything else through the routes.
import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { loadTls } from "../../adapters/http/client.ts";
import type { Address } from "../../model/address.ts";
import { AppError } from "../../model/error.ts";
import type { RestSettings } from "../../model/settings.ts";
import { isWildcard, printAddress } from "../../model/settings-address.ts";
import { isOpen } from "./access.ts";
import { createApp } from "./app.ts";
import { createProbe } from "./probes.ts";
import type { ApiContext } from "./route.ts";

export interface Api {
  /** Resolves with the address in use. Throws PORT_IN_USE, CONFIG_INVALID. */
  listen(): Promise<Address>;
  /** Takes no new requests; running ones get `graceMs`, then their connections are cut. */
  close(graceMs?: number): Promise<void>;
}

/** Slow or silent clients must never use up the server: everything has a limit. */
const LIMITS = {
  headersTimeout: 5_000,
  requestTimeout: 15_000,
  keepAliveTimeout: 5_000,
  connectionsCheckingInterval: 2_000,
  maxHeaderSize: 16 * 1024,
} as const;
const MOST_CONNECTIONS = 512;
const TLS_HANDSHAKE_MS = 5_000;

/** A member's API: everything that can be asked and changed. */
export function createApi(context: ApiContext): Api {
  const { rest } = context.settings;
  const api = serve(rest, listenerFor(context));
  return {
    ...api,
    listen() {
      if (isOpen(rest)) {
        context.log.warn("the REST API lets everybody who reaches it change the cluster", {
          listen: printAddress(rest.listen),
          advice: "set restapi.authentication, allowlist or verify_client",
        });
      }
      return api.listen();
    },
  };
}

/** One socket with limits for everything, in front of any listener. */
export function serve(rest: RestSettings, listener: RequestListener): Api {
  const server = serverFor(rest, withHeaders(rest.headers, listener));
  server.maxConnections = MOST_CONNECTIONS;
  return {
    async listen() {
      await bind(server, rest);
      const { address, port } = server.address() as AddressInfo;
      return { host: address, port };
    },
    close: (graceMs = 1_000) => shut(server, graceMs),
  };
}

function listenerFor(context: ApiContext): RequestListener {
  const probe = createProbe(context);
  const app = createApp(context);
  const rest = getRequestListener((request, env) => app.fetch(request, env), {
    overrideGlobalObjects: false,
  });
  return (request, response) => {
    if (probe(request, response)) return;
    rest(request, response).catch((error: unknown) => {
      context.log.error("a REST answer could not be sent", { error });
      response.destroy();
    });
  };
}

/** Extra headers are there before anybody writes an answer, so that the answer's own ones win. */
function withHeaders(headers: RestSettings["headers"], listener: RequestListener): RequestListener {
  const extra = new Headers(headers);
  if (Object.keys(headers).length === 0) return listener;
  return (request, response) => {
    response.setHeaders(extra);
    listener(request, response);
  };
}

/** Throws CONFIG_INVALID for a certificate, a key, its password or a list of ciphers that cannot be used. */
function serverFor({ tls }: RestSettings, listener: RequestListener): Server {
  if (tls?.certfile === undefined) return createServer(LIMITS, listener);
  const material = loadTls(tls);
  try {
    return createTlsServer(
      {
        ...LIMITS,
        ...material,
        handshakeTimeout: TLS_HANDSHAKE_MS,
        ...(tls.ciphers === undefined ? {} : { ciphers: tls.ciphers }),
        requestCert: tls.verifyClient !== "none",
        rejectUnauthorized: tls.verifyClient === "required",
      },
      listener,
    );
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new AppError("CONFIG_INVALID", "preparing TLS as restapi says", why, error);
  }
}

function bind(server: Server, { listen, queueSize }: RestSettings): Promise<void> {
  const { host, port } = listen;
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const code = error.code === "EADDRINUSE" ? "PORT_IN_USE" : "CONFIG_INVALID";
      const attempt = `listening for REST on ${printAddress({ host, port })}`;
      reject(new AppError(code, attempt, error.message, error));
    });
    const where = isWildcard(host) && host !== "0.0.0.0" ? { port } : { host, port };
    const queue = queueSize === undefined ? {} : { backlog: queueSize };
    server.listen({ ...where, ...queue }, () => resolve());
  });
}

function shut(server: Server, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => server.closeAllConnections(), graceMs);
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
    server.closeIdleConnections();
  });
}
