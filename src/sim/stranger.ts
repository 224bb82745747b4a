// What would an agent of Patroni's have written? Neither `hold` nor a word about itself.
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
