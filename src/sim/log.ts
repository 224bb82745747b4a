// The Log port: decisions go to the truth board, the rest as events for the transcript.
import type { Log, LogFields } from "../ports/log.ts";
import type { SimProcess } from "./process.ts";
import type { TruthBoard } from "./truth.ts";

/** Whoever writes a log: a host, or a router. */
export interface Writer {
  readonly name: string;
  readonly truth: TruthBoard;
}

export function simLog(host: Writer, process: SimProcess): Log {
  const tell = (level: string, message: string, fields: LogFields = {}): void => {
    if (!process.isAlive) return;
    const { reason, step } = fields;
    if (typeof reason === "string") {
      host.truth.tell({
        kind: "decision",
        host: host.name,
        reason,
        step: typeof step === "string" ? step : undefined,
        fields,
      });
      return;
    }
    if (level === "debug") return;
    const details = Object.values(fields).map(String).join(" ");
    host.truth.tell({
      kind: "event",
      host: host.name,
      text: `${level}: ${message} ${details}`.trim(),
    });
  };
  return {
    error: (message, fields) => tell("error", message, fields),
    warn: (message, fields) => tell("warn", message, fields),
    info: (message, fields) => tell("info", message, fields),
    debug: (message, fields) => tell("debug", message, fields),
  };
}
