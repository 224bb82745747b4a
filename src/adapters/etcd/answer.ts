// What does an answer of the gateway mean: a result, a "no" with a reason, or nothing to rely on?
import type { StoreHeader } from "../../model/cluster.ts";
import { isObject, type JsonObject, textIn } from "../../model/wire/json.ts";
import { headerIn } from "./encode.ts";

/** gRPC's status numbers, as far as we treat them differently. */
export const CODE = {
  invalidArgument: 3,
  notFound: 5,
  permissionDenied: 7,
  resourceExhausted: 8,
  failedPrecondition: 9,
  outOfRange: 11,
  unimplemented: 12,
  unauthenticated: 16,
} as const;

const SHOWN_LETTERS = 120;

export type Answer =
  | { readonly kind: "ok"; readonly body: JsonObject; readonly header: StoreHeader | undefined }
  | { readonly kind: "no"; readonly code: number; readonly message: string }
  /** The member could not serve us; whether it did what was asked is open. */
  | { readonly kind: "failing"; readonly why: string };

/** With these the member says for certain that it did not do what was asked. */
const CERTAIN = new Set<number>(Object.values(CODE));

/** Reads a whole answer, or one line of an answer that goes on and on. */
export function answerIn(status: number, text: string): Answer {
  const value = objectIn(text);
  if (value === undefined) return { kind: "failing", why: wordsOf(status, text) };
  const fault = isObject(value["error"]) ? value["error"] : value;
  if (status >= 400 || "error" in value) return refusal(fault, status);
  const body = isObject(value["result"]) ? value["result"] : value;
  return { kind: "ok", body, header: headerIn(body) };
}

/** What is not JSON may still be a sentence for people, above all when a proxy or a TLS rule has refused us. */
function wordsOf(status: number, text: string): string {
  const line = text.trim().split("\n")[0] ?? "";
  const isSentence = line !== "" && !line.startsWith("<");
  return isSentence ? `HTTP ${status}: ${line.slice(0, SHOWN_LETTERS)}` : `HTTP ${status}, no JSON`;
}

function refusal(fault: JsonObject, status: number): Answer {
  const given = fault["code"] ?? fault["grpc_code"];
  const code = typeof given === "number" ? given : codeOfStatus(status);
  const message = textIn(fault["message"]) ?? textIn(fault["error"]) ?? `HTTP ${status}`;
  return CERTAIN.has(code) ? { kind: "no", code, message } : { kind: "failing", why: message };
}

const codeOfStatus = (status: number): number => (status === 401 ? CODE.unauthenticated : 0);

function objectIn(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
