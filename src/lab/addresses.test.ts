import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { describe, expect, it } from "vitest";
import { blockPrefix, canListen, freeBlock, freePorts, usualPorts } from "./addresses.ts";

describe("addresses of a lab", () => {
  it("are a block that no other lab has", () => {
    const first = freeBlock("lab", new Set());
    expect(first).toMatch(/^127\.\d+\.\d+$/);
    expect(freeBlock("lab", new Set([first]))).not.toBe(first);
  });

  it("stay within the loopback range", () => {
    for (const block of [0, 253, 254, 15_747]) {
      const [a, b, c] = blockPrefix(block).split(".").map(Number);
      expect([a, (b ?? 0) >= 64 && (b ?? 0) < 126, (c ?? 0) > 0 && (c ?? 0) < 255]).toEqual([
        127,
        true,
        true,
      ]);
    }
  });

  it("move to another port when somebody listens everywhere", async () => {
    const server = createServer().listen(0, "0.0.0.0");
    await once(server, "listening");
    const taken = (server.address() as AddressInfo).port;
    const ports = await freePorts(["127.77.1.1", "127.77.1.2"], { ...usualPorts(), peer: taken });
    server.close();
    expect(ports.peer).toBeGreaterThan(taken);
    expect(await canListen("127.77.1.1", ports.peer)).toBe(true);
  });
});
