// Which settings does the environment give? Patroni's variables, `PATRONI_<SECTION>_<KEY>`; they win over the file.
import { parse } from "yaml";

/** One setting, where it stands in the file's tree. */
export interface Override {
  readonly variable: string;
  readonly path: readonly string[];
  readonly value: unknown;
}

const PREFIX = "PATRONI_";
const TOP = new Set(["NAME", "SCOPE", "NAMESPACE"]);
/** Sections whose keys are named plainly. The longest name that fits comes first. */
const SECTIONS = ["RESTAPI", "CTL", "POSTGRESQL", "ETCD3", "ETCD", "LOG"] as const;
const ROLES: ReadonlySet<string> = new Set(["SUPERUSER", "REPLICATION", "REWIND"]);
const WITH_LOGIN: ReadonlySet<string> = new Set(["RESTAPI", "CTL"]);
/** Values that are lists or maps, written as YAML on one line. */
const STRUCTURED: ReadonlySet<string> = new Set([
  "allowlist",
  "hosts",
  "http_extra_headers",
  "https_extra_headers",
  "loggers",
  "static_fields",
]);

/** Every setting that `environment` gives, in the order of the variables' names. */
export function overridesIn(
  environment: Readonly<Record<string, string | undefined>>,
): readonly Override[] {
  return Object.entries(environment)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([variable, text]) => {
      if (!variable.startsWith(PREFIX) || text === undefined) return [];
      const path = pathOf(variable.slice(PREFIX.length));
      return path === undefined ? [] : [{ variable, path, value: valueOf(path, text) }];
    });
}

function pathOf(name: string): readonly string[] | undefined {
  if (TOP.has(name)) return [name.toLowerCase()];
  const [role = "", ...rest] = name.split("_");
  if (ROLES.has(role) && rest.length > 0)
    return ["postgresql", "authentication", role.toLowerCase(), rest.join("_").toLowerCase()];
  const section = SECTIONS.find((s) => name.startsWith(`${s}_`));
  if (section === undefined) return undefined;
  const key = name.slice(section.length + 1);
  const path = [section.toLowerCase()];
  if (section === "POSTGRESQL" && key.startsWith("BIN_") && key !== "BIN_DIR")
    return [...path, "bin_name", key.slice("BIN_".length).toLowerCase()];
  if (WITH_LOGIN.has(section) && (key === "USERNAME" || key === "PASSWORD"))
    return [...path, "authentication", key.toLowerCase()];
  return [...path, key.toLowerCase()];
}

/** A password that looks like a number stays a text. */
function valueOf(path: readonly string[], text: string): unknown {
  if (!STRUCTURED.has(path.at(-1) ?? "")) return text;
  try {
    return parse(text) as unknown;
  } catch {
    return text;
  }
}
