// What do several files of settings say together? Patroni merges a folder's files in the order of their names.
import { parseDocument } from "yaml";
import { AppError } from "./error.ts";
import { patchConfig } from "./wire/config.ts";
import { isObject, type JsonObject } from "./wire/json.ts";

export interface NamedText {
  readonly name: string;
  readonly text: string;
}

/** Maps merge key by key, all else is replaced by the later file. Throws CONFIG_INVALID naming the file that is no map. */
export const mergedYaml = (files: readonly NamedText[]): JsonObject =>
  files.reduce<JsonObject>((merged, file) => patchConfig(merged, mapIn(file)), {});

function mapIn({ name, text }: NamedText): JsonObject {
  const document = parseDocument(text, { merge: true });
  const [error] = document.errors;
  if (error !== undefined)
    throw new AppError("CONFIG_INVALID", `reading ${name}`, error.message.split("\n")[0] ?? "");
  const value: unknown = document.toJS({ maxAliasCount: 100 }) ?? {};
  if (isObject(value)) return value;
  throw new AppError(
    "CONFIG_INVALID",
    `reading ${name}`,
    'it must be a list of "name: value" lines',
  );
}
