// Who holds a server connection, and how is it taken from him?
import type { Address } from "../../model/address.ts";
import type { Ms } from "../../model/time.ts";
import { run } from "../system/spawn.ts";
import { type Console, numberIn, type Row } from "./console.ts";
import { canKillClient, type PgbouncerVersion } from "./program.ts";

const CUT_LIMIT_MS: Ms = 5000;

/** Clients of these databases that hold a server, in words: `app: shop@10.0.0.7:5123, 12 s`. */
export async function blockersOf(
  console: Console,
  databases: readonly string[],
  { wallMs, signal }: { readonly wallMs: number; readonly signal: AbortSignal },
): Promise<readonly string[]> {
  const clients = await console.show("CLIENTS", signal);
  return clients
    .filter((row) => row["link"] !== "" && databases.includes(row["database"] ?? ""))
    .map((row) => {
      const name = row["application_name"] || undefined;
      const who = `${row["user"]}@${row["addr"]}:${row["port"]}`;
      return `${row["database"]}: ${who}${name === undefined ? "" : ` (${name})`}, ${ageOf(row, wallMs)} s`;
    });
}

/** Since its last request, in whole seconds: PgBouncer says no more. */
function ageOf(row: Row, wallMs: number): number {
  const at = Date.parse((row["request_time"] ?? "").replace(" UTC", "Z").replace(" ", "T"));
  return Number.isNaN(at) ? 0 : Math.max(0, Math.round((wallMs - at) / 1000));
}

/**
 * Ends the connections of this process to `target`, and the clients that hold one; nobody else. Where the version has
 * no command for it the kernel is asked to, which needs its consent (CAP_NET_ADMIN); without, TCP's own timers do it.
 */
export async function cutLinked(
  console: Console,
  target: Address,
  { version, signal }: { readonly version: PgbouncerVersion; readonly signal: AbortSignal },
): Promise<void> {
  const servers = (await console.show("SERVERS", signal)).filter((row) => leadsTo(row, target));
  if (canKillClient(version)) {
    const clients = await console.show("CLIENTS", signal);
    const links = new Set(servers.map((row) => row["ptr"]));
    for (const client of clients.filter((row) => links.has(row["link"]))) {
      // Gone by itself meanwhile: all the better.
      await console
        .tell(`KILL_CLIENT ${client["ptr"]}`, signal)
        .catch(() => signal.throwIfAborted());
    }
  }
  for (const server of servers) await destroySocket(server, target, signal);
}

const leadsTo = (row: Row, { host, port }: Address): boolean =>
  row["addr"] === host && numberIn(row, "port") === port;

async function destroySocket(row: Row, { host, port }: Address, signal: AbortSignal) {
  const ends = ["dst", host, "dport", "=", `:${port}`, "sport", "=", `:${row["local_port"]}`];
  const args = ["--kill", "--tcp", "--no-header", "state", "connected", ...ends];
  // Not installed, or not allowed: the timers of TCP are what is left.
  await run({ program: "ss", args, timeoutMs: CUT_LIMIT_MS, signal }).catch(() => undefined);
  signal.throwIfAborted();
}
