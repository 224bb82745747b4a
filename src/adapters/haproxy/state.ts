// What does HAProxy say about its servers? Its tables are read by the names of their columns, never by position.
import type { Address } from "../../model/address.ts";
import { NOBODY } from "./render.ts";

export type AdminState = "ready" | "drain" | "maint";

/** One place for a server, as HAProxy has it now. */
export interface Slot {
  /** `write`, `read` or `report`. */
  readonly route: string;
  readonly name: string;
  readonly address: Address;
  /** Where its health is asked for. */
  readonly check: Address;
  readonly admin: AdminState;
  /** It takes sessions: by its checks, or because somebody said so. */
  readonly isUp: boolean;
}

/** Bits of `srv_admin_state`: maintenance said here, inherited, or because a name has no address; and the same for drain. */
const MAINT_BITS = 0x01 | 0x02 | 0x20;
const DRAIN_BITS = 0x08 | 0x10;

/** Reads the answer to `show servers state`. */
export function parseSlots(text: string): readonly Slot[] {
  const lines = text.split("\n");
  const header = lines.find((line) => line.startsWith("# "));
  const columns = header?.slice(2).trim().split(" ") ?? [];
  const rows = lines.filter((line) => /^\d+ \S/.test(line)).map((line) => line.trim().split(" "));
  return rows.map((cells) => {
    const cell = (name: string): string => cells[columns.indexOf(name)] ?? "";
    const host = cell("srv_addr");
    const checkHost = cell("srv_check_addr");
    return {
      route: cell("be_name"),
      name: cell("srv_name"),
      address: { host, port: Number(cell("srv_port")) },
      check: {
        host: checkHost === "-" || checkHost === "" ? host : checkHost,
        port: Number(cell("srv_check_port")),
      },
      admin: adminOf(Number(cell("srv_admin_state"))),
      isUp: Number(cell("srv_op_state")) > 0,
    };
  });
}

function adminOf(bits: number): AdminState {
  if ((bits & MAINT_BITS) !== 0) return "maint";
  return (bits & DRAIN_BITS) === 0 ? "ready" : "drain";
}

/** One server with its numbers. */
export interface Served {
  readonly route: string;
  readonly address: string;
  readonly state: string;
  readonly sessions: number;
}

/** Reads the answer to `show stat`: the servers that have an address of a member. */
export function parseServed(text: string): readonly Served[] {
  const lines = text.split("\n");
  const header = lines.find((line) => line.startsWith("# "));
  const columns = header?.slice(2).split(",") ?? [];
  const rows = lines.filter((line) => /^\w+,/.test(line)).map((line) => line.split(","));
  return rows.flatMap((cells) => {
    const cell = (name: string): string => cells[columns.indexOf(name)] ?? "";
    const address = cell("addr");
    const isServer = address !== "" && address !== `${NOBODY.host}:${NOBODY.port}`;
    if (!isServer) return [];
    const [state = ""] = cell("status").split(" ");
    return [{ route: cell("pxname"), address, state, sessions: Number(cell("scur")) }];
  });
}

/** One `name: value` of the answer to `show info`. */
export const infoOf = (text: string, name: string): string =>
  text
    .split("\n")
    .find((line) => line.startsWith(`${name}: `))
    ?.slice(name.length + 2)
    .trim() ?? "";
