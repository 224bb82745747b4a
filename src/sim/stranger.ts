// What would an agent of Patroni's have written, and what would it say? Neither `hold` nor a word about itself.
import type { PeerStatus } from "../model/member.ts";
import type { Ms } from "../model/time.ts";
import { isObject, parseJson, printJson } from "../model/wire/json.ts";
import type { Write } from "../ports/store.ts";

export function asStranger(write: Write): readonly Write[] {
  if (write.key.endsWith("/hold")) return [];
  if (write.kind !== "put" || !write.key.includes("/members/")) return [write];
  const member = parseJson(write.value);
  if (!isObject(member)) return [write];
  const { understudy: _, ...plain } = member;
  return [{ ...write, value: printJson(plain) }];
}

/** It gives its key back as soon as somebody has its last byte, and goes on stopping: WAL is still archived. */
const ARCHIVES_FOR_MS: Ms = 120_000;

/** What it answers when it is asked; `sinceMs` is how long ago it has handed over. */
export const strangerSays = (peer: PeerStatus, sinceMs: Ms): PeerStatus =>
  sinceMs < ARCHIVES_FOR_MS
    ? { ...peer, role: "demoted", state: "stopping", position: undefined }
    : peer;
