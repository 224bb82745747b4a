// Who may change something? Address, then certificate, then name and password, in Patroni's order.
import { createHash, timingSafeEqual } from "node:crypto";
import { lookup } from "node:dns/promises";
import { BlockList, isIPv6 } from "node:net";
import type { Credentials, RestSettings } from "../../model/settings.ts";
import { isNetwork } from "../../model/settings-address.ts";
import { type RouteAnswer, text } from "./route.ts";

export interface Caller {
  readonly address: string;
  /** True when a certificate was shown and verified. */
  readonly hasCertificate: boolean;
  readonly authorization: string | undefined;
}

/** Answers the refusal, or undefined when the caller may go on. */
export type Access = (caller: Caller) => Promise<RouteAnswer | undefined>;

/** `memberUrls`: where the members' REST APIs are, as they publish it. */
export function createAccess(rest: RestSettings, memberUrls: () => readonly string[]): Access {
  const isLimited = rest.allowlist.length > 0 || rest.allowsMembers;
  const allowed = blockListOf(rest.allowlist.filter(isNetwork));
  const names = rest.allowlist.filter((entry) => !isNetwork(entry));
  const wantsCertificate = rest.tls !== undefined && rest.tls.verifyClient !== "none";
  const isNamed = async (address: string): Promise<boolean> =>
    contains(blockListOf(await addressesOf(names)), address);
  const isMember = async (address: string): Promise<boolean> =>
    rest.allowsMembers &&
    contains(blockListOf(await addressesOf(memberUrls().flatMap(hostIn))), address);
  return async ({ address, hasCertificate, authorization }) => {
    const mayCome = isLimited
      ? contains(allowed, address) || (await isNamed(address)) || (await isMember(address))
      : true;
    if (!mayCome) return text(403, "Access is denied");
    if (wantsCertificate && !hasCertificate) return text(403, "client certificate required");
    if (rest.authentication === undefined) return undefined;
    if (authorization === undefined) return text(401, "no auth header received");
    return isLogin(authorization, rest.authentication) ? undefined : text(401, "not authenticated");
  };
}

/** True when nothing at all stands between the network and a change. */
export const isOpen = (rest: RestSettings): boolean =>
  rest.authentication === undefined &&
  rest.allowlist.length === 0 &&
  !rest.allowsMembers &&
  (rest.tls === undefined || rest.tls.verifyClient === "none");

const hostIn = (url: string): readonly string[] =>
  URL.canParse(url) ? [new URL(url).hostname.replace(/^\[(.*)\]$/, "$1")] : [];

/** A name that cannot be resolved lets nobody in. */
async function addressesOf(hosts: readonly string[]): Promise<readonly string[]> {
  const found = await Promise.all(
    hosts.map(async (host) => {
      const all = await lookup(host, { all: true }).catch(() => []);
      return all.map(({ address }) => address);
    }),
  );
  return found.flat();
}

function blockListOf(allowlist: readonly string[]): BlockList {
  const list = new BlockList();
  for (const entry of allowlist) {
    const [network = "", bits] = entry.split("/");
    const family = isIPv6(network) ? "ipv6" : "ipv4";
    if (bits === undefined) list.addAddress(network, family);
    else list.addSubnet(network, Number(bits), family);
  }
  return list;
}

function contains(list: BlockList, address: string): boolean {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, "");
  return list.check(plain, isIPv6(plain) ? "ipv6" : "ipv4");
}

/** Compares digests, so that neither length nor content shows in the time it takes. */
function isLogin(authorization: string, { username, password }: Credentials): boolean {
  const encoded = /^Basic\s+([A-Za-z0-9+/=]+)$/i.exec(authorization)?.[1] ?? "";
  const given = Buffer.from(encoded, "base64").toString("utf8");
  const wanted = `${username}:${password?.reveal() ?? ""}`;
  return timingSafeEqual(digest(given), digest(wanted));
}

const digest = (value: string): Buffer => createHash("sha256").update(value).digest();
