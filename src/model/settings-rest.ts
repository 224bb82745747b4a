// How do others reach this node's REST API, and how does the command line reach theirs?

import type { Address } from "./address.ts";
import type { Credentials, RestSettings, TlsFiles } from "./settings.ts";
import { isNetwork, isWildcard, parseAddress } from "./settings-address.ts";
import type { Section } from "./settings-reader.ts";
import { readCredentials, readTlsFiles } from "./settings-store.ts";

const REST_PORT = 8008;
const NOT_USED = [
  "ciphers",
  "keyfile_password",
  "http_extra_headers",
  "https_extra_headers",
  "server_tokens",
] as const;

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
  const files = readTlsFiles(section, { ca: "cafile", cert: "certfile", key: "keyfile" });
  const verifyClient = section.choice("verify_client", ["none", "optional", "required"]) ?? "none";
  if (verifyClient !== "none" && files?.cafile === undefined) {
    section.problem("verify_client", "needs cafile: the authority that signs client certificates");
  }
  if (verifyClient !== "none" && files?.certfile === undefined) {
    section.problem("verify_client", "needs certfile: without TLS no client shows a certificate");
  }
  const allowlist = readAllowlist(section);
  const allowsMembers = section.flag("allowlist_include_members") ?? false;
  section.notUsed(...NOT_USED);
  section.notUsed("request_queue_size", "thread_pool_size");
  section.close();
  return {
    listen,
    connectAddress,
    ...(authentication === undefined ? {} : { authentication }),
    ...(files === undefined ? {} : { tls: { ...files, verifyClient } }),
    allowlist,
    allowsMembers,
  };
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

/** Addresses and networks. A name would have to be resolved at every request, so it is refused. */
function readAllowlist(section: Section): readonly string[] {
  const items = section.items("allowlist");
  for (const { text, offset } of items) {
    if (isNetwork(text)) continue;
    section.problemAt(offset, `restapi.allowlist: "${text}" is not an IP address or a network`);
  }
  return items.map(({ text }) => text);
}

export function readCtl(root: Section): CtlSettings {
  const section = root.section("ctl");
  const authentication = readLogin(section);
  const tls = readTlsFiles(section, { ca: "cacert", cert: "certfile", key: "keyfile" });
  const insecure = section.flag("insecure") ?? false;
  section.notUsed("keyfile_password");
  section.close();
  return {
    insecure,
    ...(authentication === undefined ? {} : { authentication }),
    ...(tls === undefined ? {} : { tls }),
  };
}
