// How is a connection written for PostgreSQL's own programs, without a password in sight?
import type { Address } from "../../model/address.ts";
import type { DatabaseLogin, PostgresSettings } from "../../model/settings.ts";

export type Conninfo = Readonly<Record<string, string>>;

const quote = (value: string): string =>
  `'${value.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;

export const printConninfo = (info: Conninfo): string =>
  Object.entries(info)
    .map(([key, value]) => `${key}=${quote(value)}`)
    .join(" ");

/** Reads `key=value` and `key='value'` pairs; what does not look like one ends the reading. */
export function parseConninfo(text: string): Conninfo {
  const pair = /\s*([a-z_]+)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|((?:[^\s'\\]|\\.)*))/gy;
  const entries = [...text.matchAll(pair)].map(
    ([, key = "", quoted, bare]) => [key, (quoted ?? bare ?? "").replace(/\\(.)/gs, "$1")] as const,
  );
  return Object.fromEntries(entries);
}

/**
 * A silent network is noticed within seconds: a standby whose walreceiver waits for minutes on a dead primary could
 * not follow the next one any sooner.
 */
const LIVELY = {
  connect_timeout: "5",
  keepalives_idle: "5",
  keepalives_interval: "2",
  keepalives_count: "3",
  tcp_user_timeout: "10000",
} as const;

export interface ConnectionPlan {
  readonly address: Address;
  readonly login: DatabaseLogin;
  readonly applicationName: string;
  readonly passFile: string;
  readonly database?: string;
}

/** A connection over TCP to another member. What opens the key of a certificate is not in it: see below. */
export const connectionTo = (plan: ConnectionPlan): Conninfo => ({
  host: plan.address.host,
  port: String(plan.address.port),
  user: plan.login.username,
  // Of several hosts the one is meant that takes writes.
  ...(plan.address.host.includes(",") ? { target_session_attrs: "read-write" } : {}),
  ...(plan.database === undefined ? {} : { dbname: plan.database }),
  application_name: plan.applicationName,
  passfile: plan.passFile,
  ...plan.login.protection,
  ...LIVELY,
});

/** For the server's own file, which only its user reads: a walreceiver can be told in no other way. */
export const withKeyPassword = (info: Conninfo, { keyPassword }: DatabaseLogin): Conninfo =>
  keyPassword === undefined ? info : { ...info, sslpassword: keyPassword.reveal() };

/** The same for programs, whose arguments everybody on the host can read: they find it in a file. */
export const withService = (info: Conninfo, { username, keyPassword }: DatabaseLogin): Conninfo =>
  keyPassword === undefined ? info : { ...info, service: username };

/** libpq's service file: what opens each role's key. */
export function renderServiceFile({ superuser, replication, rewind }: PostgresSettings): string {
  const sections = [superuser, replication, rewind].flatMap((login) =>
    login?.keyPassword === undefined
      ? []
      : [`[${login.username}]\nsslpassword=${login.keyPassword.reveal()}\n`],
  );
  return [...new Set(sections)].join("");
}

/** The pass file: one line for each role, good for every host, because any member may be the next primary. */
export function renderPassFile(settings: PostgresSettings): string {
  const escape = (text: string): string => text.replaceAll("\\", "\\\\").replaceAll(":", "\\:");
  const roles = [settings.superuser, settings.replication, settings.rewind];
  const lines = roles.flatMap((role) =>
    role?.password === undefined
      ? []
      : [`*:*:*:${escape(role.username)}:${escape(role.password.reveal())}\n`],
  );
  return [...new Set(lines)].join("");
}
