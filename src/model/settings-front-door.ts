// Which front door does a node's file ask for?
import type { FrontDoorSettings } from "./front-door.ts";
import { isNetwork } from "./settings-address.ts";
import type { Section } from "./settings-reader.ts";

/** Undefined when the file has no `front_door` section. */
export function readFrontDoor(root: Section): FrontDoorSettings | undefined {
  if (!root.has("front_door")) return undefined;
  const section = root.section("front_door");
  const written = section.text("address");
  const device = section.text("interface");
  const command = section.text("command");
  section.close();
  if (written === undefined) {
    if (command !== undefined) return { kind: "command", command };
    root.problem("front_door", "leads nowhere: give it address and interface, or a command");
    return undefined;
  }
  if (command !== undefined)
    section.problem("command", "stands beside address: choose one of them");
  if (device === undefined) section.problem("address", "needs interface, on which it shall appear");
  const [address = "", bits] = written.split("/");
  if (!isNetwork(written) || address.includes(":") || bits === undefined) {
    section.problem(
      "address",
      `must be an IPv4 address with its prefix, like 10.0.0.9/24, not "${written}"`,
    );
  }
  return { kind: "address", address, prefixLength: Number(bits), interface: device ?? "" };
}
