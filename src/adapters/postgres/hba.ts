// Who may connect, and as whom?
import type { PostgresSettings } from "../../model/settings.ts";

const MAP = "understudy";

export interface AccessFacts {
  readonly settings: PostgresSettings;
  /** The operating system users that stand for the superuser on the local socket: agent and server user. */
  readonly osNames: readonly string[];
  /** The plan's lines; empty means the node's own, then the defaults, if there are any. */
  readonly lines: readonly string[];
}

/**
 * Our own line is the first: the agent must reach its server whatever else is configured, and the kernel vouches for
 * it (peer). The user's lines take the place of the defaults. If none of them speaks of replication, ours are added,
 * because a cluster whose members cannot follow is never what somebody wanted.
 */
export function renderHba({ settings, osNames, lines }: AccessFacts): string {
  const superuser = quote(settings.superuser.username);
  const local =
    osNames.length > 0
      ? `local all ${superuser} peer map=${MAP}`
      : `local all ${superuser} scram-sha-256`;
  const chosen = lines.length > 0 ? lines : settings.pgHba;
  const body = chosen.length > 0 ? chosen : defaults();
  const replication = body.some(isAboutReplication) ? [] : replicationLines(settings);
  const rows = ["# Written by Understudy.", local, ...body, ...replication];
  return `${rows.join("\n")}\n`;
}

/** The map behind our own line, and the user's maps. */
export function renderIdent({ settings, osNames, lines }: AccessFacts): string {
  const rows = osNames.map((name) => `${MAP} ${quote(name)} ${quote(settings.superuser.username)}`);
  return `${["# Written by Understudy.", ...rows, ...(lines.length > 0 ? lines : settings.pgIdent)].join("\n")}\n`;
}

const quote = (name: string): string => `"${name}"`;

const defaults = (): readonly string[] => [
  "local all all scram-sha-256",
  "host all all all scram-sha-256",
];

function replicationLines(settings: PostgresSettings): readonly string[] {
  const role = quote(settings.replication.username);
  return [`local replication ${role} scram-sha-256`, `host replication ${role} all scram-sha-256`];
}

const isAboutReplication = (row: string): boolean =>
  /^\s*(local|host\w*)\s+\S*\breplication\b/.test(row);
