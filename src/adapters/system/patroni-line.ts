// How does a line of our log read where Patroni's lines are expected? (`log.format: patroni`)

const LEVELS: Readonly<Record<string, string>> = {
  error: "ERROR",
  warn: "WARNING",
  info: "INFO",
  debug: "DEBUG",
};
/** The field of an error after which the agent ends; Patroni has a level of its own for it. */
export const CRITICAL = { isCritical: true } as const;

/** `2026-11-27 08:15:28,853 INFO: following a leader term=7`, in local time, from one JSON line. */
export function patroniLine(line: string): string {
  const {
    time,
    level,
    msg,
    isCritical,
    node: _,
    ...fields
  } = JSON.parse(line) as Record<string, unknown>;
  const name = isCritical === true ? "CRITICAL" : LEVELS[String(level)];
  const rest = Object.entries(fields).map(([key, value]) => `${key}=${textOf(value)}`);
  return `${[localTime(new Date(String(time))), `${name}:`, msg, ...rest].join(" ")}\n`;
}

const textOf = (value: unknown): string =>
  typeof value === "string" && /^\S+$/.test(value) ? value : JSON.stringify(value);

function localTime(at: Date): string {
  const two = (part: number): string => String(part).padStart(2, "0");
  const date = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  const clock = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
  return `${date} ${clock},${String(at.getMilliseconds()).padStart(3, "0")}`;
}
