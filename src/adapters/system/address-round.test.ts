// In which order are addresses tried, and what is said when none takes it?
import { expect, it } from "vitest";
import { AddressRound } from "./address-round.ts";

const soon = () => performance.now() + 60_000;
const addresses = ["a", "b", "c"].map((host) => ({ host, port: 5432 }));

function stage(takers: Set<string>) {
  const round = new AddressRound(addresses);
  const tried: string[] = [];
  const take = (end: number, trouble?: unknown) =>
    round.take(
      end,
      async ({ host }) => {
        tried.push(host);
        if (!takers.has(host)) throw new Error(`${host} refuses`);
        return host;
      },
      trouble,
    );
  return { take, tried };
}

it("begins with the one that took the last, and comes round", async () => {
  const takers = new Set(["b"]);
  const { take, tried } = stage(takers);
  expect(await take(soon())).toBe("b");
  expect(await take(soon())).toBe("b");
  takers.clear();
  takers.add("a");
  expect(await take(soon())).toBe("a");
  expect(tried).toEqual(["a", "b", "b", "b", "c", "a"]);
});

it("leaves each of those that are still to come its part of the time", async () => {
  const parts: number[] = [];
  const end = soon();
  const refuse = async (_: unknown, limitMs: number) => {
    parts.push(Math.round((end - performance.now()) / limitMs));
    throw new Error("no");
  };
  await expect(new AddressRound(addresses).take(end, refuse)).rejects.toThrow("no");
  expect(parts).toEqual([3, 2, 1]);
});

it("says what the last one said, and what was wrong before when no time is left", async () => {
  const { take, tried } = stage(new Set());
  await expect(take(soon())).rejects.toThrow("c refuses");
  await expect(take(performance.now(), new Error("the session was silent"))).rejects.toThrow(
    "the session was silent",
  );
  expect(tried).toHaveLength(3);
});

it("says that there is no address", async () => {
  const nobody = new AddressRound([]).take(soon(), async () => 1);
  await expect(nobody).rejects.toThrow("no address");
});
