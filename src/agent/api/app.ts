// How does an HTTP request become a route's answer? Bodies are limited and checked, changes are let in or refused.
import type { IncomingMessage } from "node:http";
import type { TLSSocket } from "node:tls";
import { type Context, Hono } from "hono";
import { isObject, type JsonObject, printJson } from "../../model/wire/json.ts";
import { type Caller, createAccess } from "./access.ts";
import {
  type ApiContext,
  failure,
  type Route,
  type RouteAnswer,
  type RouteRequest,
  text,
} from "./route.ts";
import { ROUTES } from "./routes.ts";

/** What the server binds to each request; tests pass their own. */
export interface Bindings {
  readonly incoming: Pick<IncomingMessage, "socket">;
}

type RestContext = Context<{ Bindings: Bindings }>;

const LARGEST_BODY = 1024 * 1024;

export function createApp(context: ApiContext): Hono<{ Bindings: Bindings }> {
  const app = new Hono<{ Bindings: Bindings }>();
  const access = createAccess(context.settings.rest, () => memberUrls(context));
  for (const route of ROUTES) {
    app.on(route.method, route.path, async (c) => {
      const refusal = route.method === "GET" ? undefined : await access(callerOf(c));
      return respond(refusal ?? (await answer(context, route, c)));
    });
  }
  app.notFound((c) => {
    const isRead = c.req.method === "GET" || c.req.method === "HEAD";
    return respond(text(isRead ? 404 : 501, "there is no such endpoint"));
  });
  return app;
}

const memberUrls = ({ node }: ApiContext): readonly string[] =>
  (node.view().cluster?.seen.members ?? []).flatMap(({ apiUrl }) =>
    apiUrl === "" ? [] : [apiUrl],
  );

async function answer(context: ApiContext, route: Route, c: RestContext): Promise<RouteAnswer> {
  try {
    const body = route.body === undefined ? undefined : await readBody(route, c);
    if (body !== undefined && "refusal" in body) return body.refusal;
    const request: RouteRequest = { query: new URL(c.req.url).searchParams, body: body?.value };
    return await route.answer(context, request);
  } catch (error) {
    context.log.error("a REST request failed", { path: route.path, error });
    return failure(error, `${route.method} ${route.path}`);
  }
}

type Body = { readonly value: JsonObject | undefined } | { readonly refusal: RouteAnswer };

/** A required body must be a JSON object with something in it. */
function readBody({ body }: Route, c: RestContext): Promise<Body> | Body {
  const length = c.req.header("content-length");
  if (length === undefined && c.req.header("transfer-encoding") === undefined) {
    const refusal = text(411, "a body with Content-Length is needed");
    return body === "required" && c.req.raw.body === null ? { refusal } : parsed(body, c);
  }
  if (Number(length ?? 0) > LARGEST_BODY) return { refusal: text(413, "the body is too large") };
  return parsed(body, c);
}

async function parsed(need: Route["body"], c: RestContext): Promise<Body> {
  const words = await c.req.text();
  if (words.length > LARGEST_BODY) return { refusal: text(413, "the body is too large") };
  if (words.trim() === "" && need === "optional") return { value: undefined };
  const value = jsonIn(words);
  if (!isObject(value)) return { refusal: text(400, "the body must be a JSON object") };
  const isEmpty = Object.keys(value).length === 0;
  if (isEmpty && need === "required") return { refusal: text(400, "the body is an empty object") };
  return { value };
}

function jsonIn(words: string): unknown {
  try {
    return JSON.parse(words);
  } catch {
    return undefined;
  }
}

function callerOf(c: RestContext): Caller {
  const socket = c.env.incoming.socket as Partial<TLSSocket>;
  return {
    address: socket.remoteAddress ?? "",
    hasCertificate: socket.authorized === true,
    authorization: c.req.header("authorization"),
  };
}

/** Texts go out as plain text, everything else as JSON whose WAL positions keep every digit. */
function respond({ status, json, text: words, contentType, stream }: RouteAnswer): Response {
  const type = contentType ?? (words === undefined ? "application/json" : "text/plain");
  const headers = new Headers({ "content-type": type });
  if (status === 401) headers.set("www-authenticate", 'Basic realm="Understudy"');
  return new Response(stream ?? words ?? printJson(json), { status, headers });
}
