// The real log: JSON lines on stderr, written at once, so that last words arrive; readable lines on a terminal.
import { writeSync } from "node:fs";
import { pino } from "pino";
import type { Log, LogFields } from "../../ports/log.ts";
import { patroniLine } from "./patroni-line.ts";

export type LogLevel = "error" | "warn" | "info" | "debug";

export interface LogOptions {
  readonly level: LogLevel;
  /** Fields on every line, such as the node's name. */
  readonly fields?: LogFields;
  readonly isTerminal?: boolean;
  /** Lines as Patroni writes them. */
  readonly isPatronis?: boolean;
  /** For tests; the default writes to stderr. */
  readonly write?: (line: string) => void;
}

export function createLog(options: LogOptions): Log {
  const write = options.write ?? writeToStderr;
  const isTerminal = options.isTerminal ?? process.stderr.isTTY;
  const pretty = isTerminal ? prettyLine : undefined;
  const print = options.isPatronis === true ? patroniLine : pretty;
  const logger = pino(
    {
      level: options.level,
      base: { ...options.fields },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: describeError },
    },
    { write: print === undefined ? write : (line: string) => write(print(line)) },
  );
  return {
    error: (message, fields) => logger.error(fields ?? {}, message),
    warn: (message, fields) => logger.warn(fields ?? {}, message),
    info: (message, fields) => logger.info(fields ?? {}, message),
    debug: (message, fields) => logger.debug(fields ?? {}, message),
  };
}

/** How often a full pipe is tried again, a millisecond apart: last words must arrive, but nobody waits for ever. */
const PIPE_TRIES = 100;

/** A log that cannot be written (full disk, closed pipe) must not stop the agent. */
function writeToStderr(line: string): void {
  let rest = Buffer.from(line);
  for (let tries = 0; tries < PIPE_TRIES && rest.length > 0; tries += 1) {
    try {
      rest = rest.subarray(writeSync(2, rest));
    } catch (error) {
      const isFull = error instanceof Error && "code" in error && error.code === "EAGAIN";
      if (!isFull) return;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}

/** An error's text and code with those of its causes; the stack only of a programmer's error. */
export function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const code = "code" in error ? error.code : undefined;
  return {
    message: error.message,
    ...(code === undefined ? { stack: error.stack } : { code }),
    ...(error.cause === undefined ? {} : { cause: describeError(error.cause) }),
  };
}

/** `12:00:05.123 warn  the fence does not answer  node=a`, from one JSON line. */
export function prettyLine(line: string): string {
  const { time, level, msg, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const clock = String(time).slice(11, 23);
  const rest = Object.entries(fields).map(([name, value]) => `${name}=${prettyValue(value)}`);
  return `${[clock, String(level).padEnd(5), msg, ...rest].join(" ")}\n`;
}

const prettyValue = (value: unknown): string =>
  typeof value === "string" && /^\S+$/.test(value) ? value : JSON.stringify(value);
