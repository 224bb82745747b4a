// How do others reach this node's REST API, and how does the command line reach theirs?

import type { Address } from "./address.ts";
import type { Credentials, RestSettings, TlsFiles } from "./settings.ts";
import { isHostName, isNetwork, isWildcard, parseAddress } from "./settings-address.ts";
import type { Section } from "./settings-reader.ts";
import { readCredentials, readTlsFiles } from "./settings-store.ts";

const REST_PORT = 8008;
const TLS_KEYS = {
  ca: "cafile",
  cert: "certfile",
  key: "keyfile",
  keyPassword: "keyfile_password",
} as const;
/** Headers that say how an answer is to be read, or whom it asks. */
const OF_HTTP: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "content-type",
  "date",
  "keep-alive",
  "transfer-encoding",
  "www-authenticate",
]);
/** How the command line talks to the members (`ctl`); what is missing there comes from `restapi`. */
export interface CtlSettings {
  readonly authentication?: Credentials;
  readonly tls?: TlsFiles;
  /** Certificates of the members are not verified. */
  readonly insecure: boolean;
}

/** `database` tells where PostgreSQL listens and how others reach it: the defaults of this section. */
export function readRest(
  root: Section,
  database: { readonly listen: string; readonly connect: string },
): RestSettings {
  const section = root.section("restapi");
  const listen = readAddress(section, "listen") ?? { host: database.listen, port: REST_PORT };
  const written = readAddress(section, "connect_address", listen.port);
  const host = isWildcard(listen.host) ? database.connect : listen.host;
  const connectAddress = written ?? { host, port: listen.port };
  const authentication = readLogin(section);
  const files = readTlsFiles(section, TLS_KEYS);
  const ciphers = section.text("ciphers");
  const verifyClient = section.choice("verify_client", ["none", "optional", "required"]) ?? "none";
  if (verifyClient !== "none" && files?.cafile === undefined) {
    section.problem("verify_client", "needs cafile: the authority that signs client certificates");
  }
  if (verifyClient !== "none" && files?.certfile === undefined) {
    section.problem("verify_client", "needs certfile: without TLS no client shows a certificate");
  }
  const allowlist = readAllowlist(section);
  const allowsMembers = section.flag("allowlist_include_members") ?? false;
  const headers = readHeaders(section, files?.certfile !== undefined);
  const queueSize = section.number("request_queue_size", { min: 1, max: 65_535 });
  section.notUsed("thread_pool_size", "server_tokens");
  section.close();
  return {
    listen,
    connectAddress,
    ...(authentication === undefined ? {} : { authentication }),
    ...(files === undefined
      ? {}
      : { tls: { ...files, verifyClient, ...(ciphers === undefined ? {} : { ciphers }) } }),
    headers,
    ...(queueSize === undefined ? {} : { queueSize }),
    allowlist,
    allowsMembers,
  };
}

/** Those for TLS come on top, as in Patroni. What HTTP itself needs cannot be replaced. */
function readHeaders(section: Section, isEncrypted: boolean): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const key of ["http_extra_headers", "https_extra_headers"]) {
    const inner = section.section(key);
    for (const name of inner.names()) {
      const text = inner.text(name) ?? "";
      const isPossible =
        /^[!#$%&'*+.^_`|~0-9a-z-]+$/i.test(name) && !/[^\t\x20-\x7e\x80-\xff]/.test(text);
      if (!isPossible) inner.problem(name, "cannot be a header of HTTP");
      else if (OF_HTTP.has(name.toLowerCase()))
        inner.warn(name, "has no effect: each answer has its own");
      else if (key === "http_extra_headers" || isEncrypted) found[name.toLowerCase()] = text;
    }
    inner.close();
  }
  return found;
}

/** A name without a password would let everybody in who guesses the name. */
function readLogin(section: Section): Credentials | undefined {
  const login = section.section("authentication");
  const credentials = readCredentials(login);
  if (credentials !== undefined && (credentials.password?.reveal() ?? "") === "") {
    login.problem("username", "is given without a password");
  }
  login.close();
  return credentials;
}

function readAddress(section: Section, key: string, port = REST_PORT): Address | undefined {
  const text = section.text(key);
  if (text === undefined) return undefined;
  const address = parseAddress(text, port);
  if (address === undefined) section.problem(key, `must be host:port, not "${text}"`);
  else if (key === "connect_address" && isWildcard(address.host)) {
    section.problem(key, `must be an address that others can reach, not "${text}"`);
  }
  return address;
}

/** Addresses, networks, and names. */
function readAllowlist(section: Section): readonly string[] {
  const items = section.items("allowlist");
  for (const { text, offset } of items) {
    if (isNetwork(text) || isHostName(text)) continue;
    const what = "is not an IP address, a network or the name of a host";
    section.problemAt(offset, `restapi.allowlist: "${text}" ${what}`);
  }
  return items.map(({ text }) => text);
}

export function readCtl(root: Section): CtlSettings {
  const section = root.section("ctl");
  const authentication = readLogin(section);
  const tls = readTlsFiles(section, { ...TLS_KEYS, ca: "cacert" });
  const insecure = section.flag("insecure") ?? false;
  section.close();
  return {
    insecure,
    ...(authentication === undefined ? {} : { authentication }),
    ...(tls === undefined ? {} : { tls }),
  };
}
