// Does the `front_door` section name one thing that can move?
import { expect, it } from "vitest";
import { printFinding } from "./finding.ts";
import { parseNodeFile } from "./settings-file.ts";

const FILE = `scope: demo
name: n1
etcd: {hosts: 10.0.0.1:2379}
postgresql:
  connect_address: 10.0.0.11:5432
  data_dir: /data
  authentication: {replication: {password: secret}}
`;

const parse = (door: string) => parseNodeFile(`${FILE}front_door: ${door}\n`, "n.yml");
const doorOf = (door: string) => {
  const file = parse(door);
  return file.kind === "settings" ? file.settings.frontDoor : undefined;
};
const problemsOf = (door: string) => {
  const file = parse(door);
  return file.kind === "refused" ? file.problems.map(printFinding) : [];
};

it("is an address on an interface, or a command", () => {
  expect(doorOf("{address: 10.0.0.100/24, interface: eth0}")).toEqual({
    ...{ kind: "address", address: "10.0.0.100", prefixLength: 24 },
    interface: "eth0",
  });
  expect(doorOf("{command: /etc/move}")).toEqual({ kind: "command", command: "/etc/move" });
});

it.each([
  ["{interface: eth0}", "leads nowhere"],
  ["{address: 10.0.0.100/24}", "needs interface"],
  ["{address: 10.0.0.100, interface: eth0}", "with its prefix"],
  ["{address: 'fd00::1/64', interface: eth0}", "must be an IPv4 address"],
  ["{address: 10.0.0.100/24, interface: eth0, command: x}", "choose one"],
])("refuses %s", (door, why) => {
  expect(problemsOf(door).join("\n")).toContain(why);
});
