// Which question does a health check's path ask, in the words that load balancers were taught?

export type HealthCheck =
  | "standby-leader"
  | "leader"
  | "primary"
  | "standby"
  | "read-only"
  | "running"
  | "sync"
  | "quorum"
  | "async"
  | "read-only-sync"
  | "read-only-quorum"
  | "none";

/** Exact paths; they ask about synchronous modes. */
const EXACT: Readonly<Record<string, HealthCheck>> = {
  "/sync": "sync",
  "/synchronous": "sync",
  "/quorum": "quorum",
  "/async": "async",
  "/asynchronous": "async",
  "/read-only-quorum": "read-only-quorum",
  "/read-only-sync": "read-only-sync",
  "/read-only-synchronous": "read-only-sync",
};

/** The order matters: `/standby-leader` contains `leader`, and unknown paths are questions too. */
export function healthCheckOf(path: string): HealthCheck {
  const has = (...words: readonly string[]): boolean => words.some((word) => path.includes(word));
  if (path === "/" || path === "") return "primary";
  if (has("standby_leader", "standby-leader")) return "standby-leader";
  if (has("leader")) return "leader";
  if (has("master", "primary", "read-write")) return "primary";
  if (has("replica")) return "standby";
  if (has("read-only") && !has("sync", "quorum")) return "read-only";
  if (has("health")) return "running";
  return EXACT[path] ?? "none";
}

/** Bytes of `lag=16MB`; undefined (no limit) when it can't be read. */
export function lagLimit(text: string | null | undefined): number | undefined {
  const match = /^(\d{1,15})\s*(B|kB|MB|GB|TB)?$/i.exec((text ?? "").trim());
  if (match === null) return undefined;
  const power = ["b", "kb", "mb", "gb", "tb"].indexOf((match[2] ?? "B").toLowerCase());
  return Number(match[1]) * 1024 ** power;
}
