// Which host and port does a piece of text name?
import type { Address } from "./address.ts";

const EVERY_ADDRESS = new Set(["", "*", "0.0.0.0", "::"]);

/** True when it means "all my addresses", which nobody else can connect to. */
export const isWildcard = (host: string): boolean => EVERY_ADDRESS.has(host);

/** Parses `host`, `host:port`, `[v6]:port` or a bare IPv6 address; undefined when it is none of them. */
export function parseAddress(text: string, defaultPort: number): Address | undefined {
  const written = text.trim();
  const bracketed = /^\[([0-9A-Fa-f:.%\w]+)\](?::(\d+))?$/.exec(written);
  if (bracketed !== null) return withPort(bracketed[1] ?? "", bracketed[2], defaultPort);
  if (/^[0-9A-Fa-f:]*:[0-9A-Fa-f:]*:[0-9A-Fa-f:.%\w]*$/.test(written)) {
    return { host: written, port: defaultPort };
  }
  const simple = /^([^\s:/@[\],]+)(?::(\d+))?$/.exec(written);
  return simple === null ? undefined : withPort(simple[1] ?? "", simple[2], defaultPort);
}

function withPort(host: string, port: string | undefined, fallback: number): Address | undefined {
  const number = port === undefined ? fallback : Number(port);
  return number >= 1 && number <= 65_535 ? { host, port: number } : undefined;
}

/** True for an IP address or a network: `10.0.0.0/8`, `::1`, `fd00::/8`. */
export function isNetwork(text: string): boolean {
  const [address = "", bits, ...more] = text.split("/");
  const isV6 = address.includes(":");
  if (more.length > 0 || (bits !== undefined && !isCount(bits, isV6 ? 128 : 32))) return false;
  return isV6 ? isIpv6(address) : isIpv4(address);
}

/** True for a name that can be resolved: letters, digits, hyphens and dots, and not an address gone wrong. */
export const isHostName = (text: string): boolean =>
  /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*\.?$/i.test(
    text,
  ) && !/^[\d.]+$/.test(text);

const isCount = (text: string, most: number): boolean =>
  /^\d{1,3}$/.test(text) && Number(text) <= most;

const isIpv4 = (text: string): boolean => {
  const parts = text.split(".");
  return parts.length === 4 && parts.every((part) => isCount(part, 255));
};

/** Groups of up to four hexadecimal digits: eight of them, or fewer around one `::`. */
function isIpv6(text: string): boolean {
  const halves = text.split("::");
  const groups = halves.flatMap((half) => (half === "" ? [] : half.split(":")));
  const rightCount = halves.length === 2 ? groups.length < 8 : groups.length === 8;
  return (
    halves.length <= 2 && rightCount && groups.every((group) => /^[0-9A-Fa-f]{1,4}$/.test(group))
  );
}

/** `host:port`, with brackets around an IPv6 address. */
export const printAddress = ({ host, port }: Address): string =>
  host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
