// Where is the consensus store? (the `etcd` or `etcd3` section; both mean the v3 API)

import type { Credentials, StoreDiscovery, StoreSettings, TlsFiles } from "./settings.ts";
import { isHostName, parseAddress, printAddress } from "./settings-address.ts";
import type { Item, Section } from "./settings-reader.ts";

const OTHER_STORES = ["consul", "zookeeper", "exhibitor", "kubernetes", "raft"] as const;
const ETCD_PORT = 2379;
/** Patroni knows it by its older names too. */
const DISCOVERY_KEYS = ["srv", "discovery_srv", "srv_domain"] as const;

/** Reads the store section of the whole file. */
export function readStore(root: Section): StoreSettings {
  for (const other of OTHER_STORES) {
    if (root.has(other))
      root.problem(other, "is not supported: Understudy keeps its state in etcd");
  }
  const both = root.has("etcd") && root.has("etcd3");
  if (both) root.problem("etcd3", "and etcd are both given: keep one, they mean the same");
  const name = root.has("etcd3") ? "etcd3" : "etcd";
  if (!root.has(name)) {
    root.problem("etcd", "is missing: name the consensus store, e.g. hosts: 10.0.0.1:2379");
  }
  const section = root.section(name);
  const store = readEtcd(section, root.has(name));
  section.close();
  return store;
}

function readEtcd(section: Section, present: boolean): StoreSettings {
  const port = section.number("port", { min: 1, max: 65_535 }) ?? ETCD_PORT;
  const protocol = section.choice("protocol", ["http", "https"]) ?? "http";
  // A proxy of etcd's is spoken to as any member of it: it hides them, and we ask nobody for their addresses.
  const url = [...section.items("url"), ...section.items("proxy")];
  const hosts = [...section.items("host"), ...splitCommas(section.items("hosts"))];
  const endpoints = [...url, ...hosts].flatMap((item) => {
    const endpoint = parseEndpoint(item.text, { protocol, port });
    if (endpoint === undefined) {
      section.problemAt(item.offset, `"${item.text}" is not an address of etcd (host:port)`);
    }
    return endpoint ?? [];
  });
  section.accept("use_proxies");
  const discovery = readDiscovery(section);
  if (present && url.length + hosts.length === 0 && discovery === undefined) {
    section.problem("hosts", "is missing: give the addresses, e.g. 10.0.0.1:2379,10.0.0.2:2379");
  }
  const credentials = readCredentials(section);
  const tls = readTlsFiles(section, { ca: "cacert", cert: "cert", key: "key" });
  if (tls !== undefined && endpoints.some((endpoint) => endpoint.startsWith("http:"))) {
    section.warn(
      section.has("cacert") ? "cacert" : "cert",
      "has no effect without protocol: https",
    );
  }
  return {
    kind: "etcd",
    endpoints: [...new Set(endpoints)],
    ...(discovery === undefined ? {} : { discovery }),
    ...(credentials === undefined ? {} : { credentials }),
    ...(tls === undefined ? {} : { tls }),
  };
}

function readDiscovery(section: Section): StoreDiscovery | undefined {
  const named = DISCOVERY_KEYS.find((key) => section.has(key)) ?? "srv";
  const [domain, suffix] = [section.text(named), section.text("srv_suffix")];
  for (const [key, name] of [[named, domain] as const, ["srv_suffix", suffix] as const])
    if (name !== undefined && !isHostName(name))
      section.problem(key, `must be a name of the DNS, not "${name}"`);
  if (domain === undefined) return undefined;
  return { domain, ...(suffix === undefined ? {} : { suffix }) };
}

/** A list, or one text with commas, or a list of texts with commas. */
const splitCommas = (items: readonly Item[]): readonly Item[] =>
  items.flatMap(({ text, offset }) =>
    text
      .split(",")
      .map((part) => part.trim())
      .filter((part) => part !== "")
      .map((part) => ({ text: part, offset })),
  );

interface Usual {
  readonly protocol: string;
  readonly port: number;
}

function parseEndpoint(text: string, { protocol, port }: Usual): string | undefined {
  const url = /^(https?):\/\/([^/]+)\/*$/.exec(text.trim());
  const address = parseAddress(url?.[2] ?? text, port);
  return address === undefined ? undefined : `${url?.[1] ?? protocol}://${printAddress(address)}`;
}

/** `username` and `password` of a section; undefined without a user. */
export function readCredentials(section: Section): Credentials | undefined {
  const username = section.text("username");
  const password = section.secret("password");
  if (username === undefined && password !== undefined) {
    section.problem("password", "is given without a username");
  }
  return username === undefined ? undefined : { username, password };
}

interface TlsKeys {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  readonly keyPassword?: string;
}

/** The names of certificate files under the keys that the section uses for them. */
export function readTlsFiles(section: Section, keys: TlsKeys): TlsFiles | undefined {
  const cafile = section.path(keys.ca);
  const certfile = section.path(keys.cert);
  const keyfile = section.path(keys.key);
  const keyPassword = keys.keyPassword === undefined ? undefined : section.secret(keys.keyPassword);
  if (keyfile !== undefined && certfile === undefined) {
    section.problem(keys.key, `is given without ${keys.cert}`);
  }
  if (cafile === undefined && certfile === undefined) return undefined;
  return {
    ...(cafile === undefined ? {} : { cafile }),
    ...(certfile === undefined ? {} : { certfile }),
    ...(keyfile === undefined ? {} : { keyfile }),
    ...(keyPassword === undefined ? {} : { keyPassword }),
  };
}
