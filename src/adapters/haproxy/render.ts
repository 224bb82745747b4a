// What does HAProxy's configuration say? Where to listen and how to check; who serves is told over its socket.
import { createHash } from "node:crypto";
import { join } from "node:path";
import type { Address } from "../../model/address.ts";
import type { Route } from "../../model/route.ts";
import type { HaproxySettings } from "../../model/router-settings.ts";
import { printAddress } from "../../model/settings-address.ts";

/**
 * Places for servers, declared beforehand: a member that comes, goes or moves needs no reload. Each route has as many, and
 * reports have as many again for standbys that stand in.
 */
export const SLOTS = 16;
/** A place where nobody is: this address is never connected to, because its server is in maintenance. */
export const NOBODY: Address = { host: "127.0.0.1", port: 1 };

/** A place of the write route that refuses every connection, so that who is sent there tries again and again. */
export const WAITING_ROOM = "waiting";

/** Certificates for health checks of agents that speak TLS; absent where they speak plain HTTP. */
export interface CheckTls {
  readonly cafile: string | undefined;
  /** Certificate and key in one file, when clients must show one. */
  readonly pem: string | undefined;
}

export interface RenderOptions {
  readonly settings: HaproxySettings;
  /** A standby further behind is refused by its own health check too. */
  readonly maxLagBytes: number;
  readonly maxReportLagBytes: number;
  readonly readsFromPrimary: boolean;
  readonly checkTls: CheckTls | undefined;
  /** Whom it becomes once it has read its files and bound its ports; undefined when we have no such power. */
  readonly user: { readonly uid: number; readonly gid: number } | undefined;
}

export const configFile = (dir: string): string => join(dir, "haproxy.cfg");
export const socketFile = (dir: string): string => join(dir, "admin.sock");

/** Every address that the configuration listens on, with what is found there. */
export function listeners(settings: HaproxySettings): readonly [name: string, address: Address][] {
  const all = (["write", "read", "report", "stats"] as const).map(
    (name) => [name, settings[name]] as const,
  );
  return all.flatMap(([name, address]) => (address === undefined ? [] : [[name, address]]));
}

/** The whole file. It does not change with the members, so it rarely changes at all. */
export function renderConfig(options: RenderOptions): string {
  const text = render(options, "none");
  return render(options, createHash("sha256").update(text).digest("hex").slice(0, 16));
}

/** Which configuration a process runs with, as it says itself (`show info`, `node`). */
export const fingerprintOf = (config: string): string =>
  /^ {2}node (\S+)$/m.exec(config)?.[1] ?? "";

function render(options: RenderOptions, fingerprint: string): string {
  const { settings } = options;
  const parts = [
    globalPart(options, fingerprint),
    DEFAULTS,
    routePart("write", options),
    routePart("read", options),
    routePart("report", options),
    statsPart(settings.stats),
  ];
  return `${parts.filter((part) => part !== undefined).join("\n\n")}\n`;
}

/** The socket's own and the statistics page's connections come on top of the clients'. */
const RESERVED_CONNECTIONS = 20;

const globalPart = ({ settings, user }: RenderOptions, fingerprint: string): string => `\
# Written by Understudy; who serves is told over the socket below, and changes here are overwritten.
global
  node ${fingerprint}
  stats socket ${socketFile(settings.dir)} mode 600 level admin expose-fd listeners
  stats timeout 1d
  maxconn ${settings.maxConn + RESERVED_CONNECTIONS}
  hard-stop-after 1d${user === undefined ? "" : `\n  uid ${user.uid}\n  gid ${user.gid}`}`;

/**
 * Sessions of databases are long and often silent, so a silent one is kept for a day; keep-alives and TCP's user timeout
 * are what finds a vanished client or server, within 11 s. A new connection that is refused or gets no answer is tried
 * again, where there is no other server after `timeout connect`, and for as long as checks need to give a primary up: while
 * roles change, who comes in waits and is let in within that time of the new primary (decision 0148).
 */
const DEFAULTS = `\
defaults
  mode tcp
  timeout connect 300ms
  timeout check 1s
  timeout client 1d
  timeout server 1d
  option clitcpka
  clitcpka-idle 5s
  clitcpka-intvl 2s
  clitcpka-cnt 3
  option srvtcpka
  srvtcpka-idle 5s
  srvtcpka-intvl 2s
  srvtcpka-cnt 3
  retries 30
  option redispatch 1`;

/**
 * Checks are the second line; the first is the agent's word. On the write route they are as patient as a short lease: an
 * agent that restarts, while its PostgreSQL serves on, must cost nobody a session.
 */
const WRITE_CHECKS = "inter 1s fastinter 1s downinter 1s fall 10 rise 1";
const READ_CHECKS = "inter 1s fastinter 200ms downinter 500ms fall 2 rise 1";
/** The same standbys are asked for the read route already; on this one sessions are long. */
const REPORT_CHECKS = "inter 2s fastinter 500ms downinter 1s fall 2 rise 1";

const CHECKS = { write: WRITE_CHECKS, read: READ_CHECKS, report: REPORT_CHECKS } as const;

function routePart(route: Route, options: RenderOptions): string | undefined {
  const { settings, checkTls } = options;
  const address = settings[route];
  if (address === undefined) return undefined;
  const isWrite = route === "write";
  const server = [
    "default-server",
    CHECKS[route],
    // A session on a server that is no longer the primary is worth nothing; one on a standby that lags may be a long report.
    ...(isWrite ? ["on-marked-down shutdown-sessions"] : []),
    "tcp-ut 5s",
    ...(checkTls === undefined ? [] : tlsOptions(checkTls)),
  ];
  return [
    `listen ${route}`,
    `  bind ${printAddress(address)} tcp-ut 5s`,
    `  maxconn ${settings.maxConn}`,
    `  balance ${isWrite ? "roundrobin" : settings.balance}`,
    "  option httpchk",
    `  http-check send meth OPTIONS uri ${checkPath(route, options)} ver HTTP/1.1 hdr Host understudy`,
    "  http-check expect status 200",
    `  ${server.join(" ")}`,
    serverSlots("s", ""),
    ...(isWrite ? [`  server ${WAITING_ROOM} ${printAddress(NOBODY)} disabled`] : []),
    ...(route === "report" ? ["  option allbackups", serverSlots("b", " backup")] : []),
  ].join("\n");
}

const serverSlots = (prefix: string, more: string): string =>
  `  server-template ${prefix} 1-${SLOTS} ${printAddress(NOBODY)} check port ${NOBODY.port} disabled${more}`;

function checkPath(route: Route, options: RenderOptions): string {
  if (route === "write") return "/primary";
  const { maxLagBytes, maxReportLagBytes, readsFromPrimary } = options;
  // tidy-allow: the path that health checks of the field ask for
  const path = readsFromPrimary ? "/read-only" : "/replica";
  return `${path}?lag=${route === "report" ? maxReportLagBytes : maxLagBytes}`;
}

const tlsOptions = ({ cafile, pem }: CheckTls): readonly string[] => [
  "check-ssl",
  ...(cafile === undefined ? ["verify none"] : ["verify required", `ca-file ${cafile}`]),
  ...(pem === undefined ? [] : [`crt ${pem}`]),
];

const statsPart = (address: Address | undefined): string | undefined =>
  address === undefined
    ? undefined
    : `\
listen stats
  bind ${printAddress(address)}
  mode http
  timeout client 10s
  timeout server 10s
  stats enable
  stats uri /
  stats refresh 5s`;
