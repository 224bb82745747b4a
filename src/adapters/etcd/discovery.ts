// Where are the members of a store that only the DNS names? (`srv`, in Patroni's and etcd's own form)
import { Resolver } from "node:dns/promises";
import { AppError } from "../../model/error.ts";
import type { StoreDiscovery, StoreSettings } from "../../model/settings.ts";
import { printAddress } from "../../model/settings-address.ts";

/** In Patroni's order; the first service that has records counts. Those of etcd's peers lead to no client's address. */
const SERVICES = [
  { service: "_etcd-client-ssl", protocol: "https" },
  { service: "_etcd-client", protocol: "http" },
  { service: "_etcd-ssl", protocol: "https" },
  { service: "_etcd", protocol: "http" },
] as const;
const LOOK_UP = { timeout: 2_000, tries: 2 } as const;

/** The settings with what the DNS names beside what is written. Throws STORE_UNREACHABLE when nobody is left to ask. */
export async function withDiscovered(
  store: StoreSettings,
  resolver: Pick<Resolver, "resolveSrv"> = new Resolver(LOOK_UP),
): Promise<StoreSettings> {
  const { discovery, endpoints } = store;
  if (discovery === undefined) return store;
  const found = await lookUp(discovery, resolver);
  const all = [...new Set([...endpoints, ...found.endpoints])];
  if (all.length > 0) return { ...store, endpoints: all };
  throw new AppError("STORE_UNREACHABLE", `looking up etcd of ${discovery.domain}`, found.why);
}

async function lookUp(
  { domain, suffix }: StoreDiscovery,
  resolver: Pick<Resolver, "resolveSrv">,
): Promise<{ readonly endpoints: readonly string[]; readonly why: string }> {
  const whys: string[] = [];
  for (const { service, protocol } of SERVICES) {
    const name = `${service}${suffix === undefined ? "" : `-${suffix}`}._tcp.${domain}`;
    try {
      const records = await resolver.resolveSrv(name);
      const endpoints = records.map(
        ({ name: host, port }) => `${protocol}://${printAddress({ host, port })}`,
      );
      if (endpoints.length > 0) return { endpoints, why: "" };
      whys.push(`${name} is empty`);
    } catch (error) {
      whys.push(error instanceof Error ? error.message : String(error));
    }
  }
  return { endpoints: [], why: whys.join("; ") };
}
