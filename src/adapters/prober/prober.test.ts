// Does a probe end in time, and does a silent address keep it from the next one? Nobody here speaks PostgreSQL.
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { afterEach, expect, it } from "vitest";
import type { Address } from "../../model/address.ts";
import type { AvailabilitySettings } from "../../model/availability.ts";
import { createProber, type Prober } from "./prober.ts";

const servers: Server[] = [];
const sockets: Socket[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const server of servers.splice(0)) server.close();
});

/** Takes connections; what it does with them is said. */
async function address(serve: (socket: Socket) => void): Promise<Address> {
  const server = createServer((socket) => {
    sockets.push(socket);
    serve(socket);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { host: "127.0.0.1", port: (server.address() as AddressInfo).port };
}

const silent = (): void => undefined;

function proberAt(addresses: readonly Address[]): Prober {
  const settings: Partial<AvailabilitySettings> = { username: "probe", database: "postgres" };
  return createProber(settings as AvailabilitySettings, { name: "way", addresses }, "n1");
}

it("ends in time although no address says anything", async () => {
  const prober = proberAt([await address(silent), await address(silent)]);
  const failed = { code: "PG_SQL_FAILED", why: expect.stringContaining("the time was up") };
  await expect(prober.write(200)).rejects.toMatchObject(failed);
});

it("comes to the next address when the first is silent", async () => {
  let isAsked = false;
  const next = await address((socket) => {
    isAsked = true;
    socket.destroy();
  });
  await expect(proberAt([await address(silent), next]).write(1_000)).rejects.toThrow();
  expect(isAsked).toBe(true);
});
