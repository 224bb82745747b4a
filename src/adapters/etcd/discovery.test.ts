// Members of etcd that only the DNS names, asked of a server that speaks the DNS.
import { createSocket, type Socket } from "node:dgram";
import { Resolver } from "node:dns/promises";
import { afterEach, expect, it } from "vitest";
import type { StoreSettings } from "../../model/settings.ts";
import { withDiscovered } from "./discovery.ts";

const sockets: Socket[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.close();
});

const nameOf = (text: string): Buffer =>
  Buffer.concat([
    ...text.split(".").map((label) => Buffer.from([label.length, ...Buffer.from(label)])),
    Buffer.from([0]),
  ]);

/** One SRV record: priority, weight, port, host. It points back at the question's name. */
function record(host: string, port: number): Buffer {
  const target = nameOf(host);
  const head = Buffer.alloc(18);
  head.writeUInt16BE(0xc00c, 0);
  head.writeUInt16BE(33, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt32BE(60, 6);
  head.writeUInt16BE(6 + target.length, 10);
  head.writeUInt16BE(port, 16);
  return Buffer.concat([head, target]);
}

/** Answers what `records` has, and says of anything else that there is no such name. */
async function dns(records: Readonly<Record<string, readonly (readonly [string, number])[]>>) {
  const socket = createSocket("udp4");
  sockets.push(socket);
  socket.on("message", (question, from) => {
    const end = question.indexOf(0, 12) + 5;
    const asked = question.subarray(12, end - 4);
    const found = Object.entries(records).find(([name]) => nameOf(name).equals(asked))?.[1];
    const head = Buffer.from(question.subarray(0, 12));
    head.writeUInt16BE(found === undefined ? 0x8183 : 0x8180, 2);
    head.writeUInt16BE(found?.length ?? 0, 6);
    head.writeUInt32BE(0, 8);
    const answers = (found ?? []).map(([host, port]) => record(host, port));
    socket.send(
      Buffer.concat([head, question.subarray(12, end), ...answers]),
      from.port,
      from.address,
    );
  });
  await new Promise<void>((done) => void socket.bind(0, "127.0.0.1", done));
  const resolver = new Resolver({ timeout: 2_000, tries: 2 });
  resolver.setServers([`127.0.0.1:${socket.address().port}`]);
  return resolver;
}

const store = (change: Partial<StoreSettings>): StoreSettings => ({
  kind: "etcd",
  endpoints: [],
  ...change,
});
const HOSTS = [["e1.example", 2379] as const, ["e2.example", 2380] as const];

it("members are found by the DNS, encrypted ones first, beside those that are written", async () => {
  const plain = await dns({ "_etcd-client._tcp.example": HOSTS });
  const discovery = { domain: "example" };
  expect((await withDiscovered(store({ discovery }), plain)).endpoints.toSorted()).toEqual([
    "http://e1.example:2379",
    "http://e2.example:2380",
  ]);
  const both = await dns({
    "_etcd-client._tcp.example": HOSTS,
    "_etcd-client-ssl._tcp.example": [["s.example", 2379]],
  });
  const written = store({ discovery, endpoints: ["http://w:1"] });
  expect((await withDiscovered(written, both)).endpoints).toEqual([
    "http://w:1",
    "https://s.example:2379",
  ]);
});

it("a suffix tells one store of a domain from another", async () => {
  const bare = await dns({ "_etcd._tcp.example": [["a.example", 1]] });
  const plain = store({ discovery: { domain: "example" } });
  expect((await withDiscovered(plain, bare)).endpoints).toEqual(["http://a.example:1"]);
  const resolver = await dns({ "_etcd-client-blue._tcp.example": [["b.example", 1]] });
  const discovery = { domain: "example", suffix: "blue" };
  expect((await withDiscovered(store({ discovery }), resolver)).endpoints).toEqual([
    "http://b.example:1",
  ]);
});

it("nobody found is told with the names that were asked; without a domain nobody asks", async () => {
  const resolver = await dns({});
  const none = store({ discovery: { domain: "example" } });
  await expect(withDiscovered(none, resolver)).rejects.toMatchObject({
    code: "STORE_UNREACHABLE",
    attempt: "looking up etcd of example",
    why: expect.stringContaining("_etcd-client-ssl._tcp.example"),
  });
  const written = store({ endpoints: ["http://w:1"] });
  expect(await withDiscovered(written)).toBe(written);
});
