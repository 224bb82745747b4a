// Does everyone who waits hear of an end, and is nothing kept about the waits before?
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, it } from "vitest";
import { Ending } from "./ending.ts";

const never = new Promise<never>(() => undefined);
const gone = new Error("gone");

it("answers what the work answers, or throws what it throws", async () => {
  const ending = new Ending();
  await expect(ending.before(Promise.resolve(1))).resolves.toBe(1);
  await expect(ending.before(Promise.reject(new Error("no")))).rejects.toThrow("no");
});

it("ends waits of before and after with its first reason", async () => {
  const ending = new Ending();
  const before = ending.before(never);
  ending.end(gone);
  ending.end(new Error("later"));
  await expect(before).rejects.toBe(gone);
  await expect(ending.before(never)).rejects.toBe(gone);
  // What had not been heard when it ended is not heard any more.
  await expect(ending.before(Promise.resolve(1))).rejects.toBe(gone);
});

it("keeps nothing about waits that are over", async () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const heap = (): number => {
    collect();
    return process.memoryUsage().heapUsed;
  };
  const ending = new Ending();
  await ending.before(Promise.resolve());
  const first = heap();
  for (let n = 0; n < 200_000; n++) await ending.before(Promise.resolve(n));
  // Promise.race with one promise that lasts keeps about 60 MB here.
  expect(heap() - first).toBeLessThan(5 * 1024 * 1024);
  ending.end(gone);
  await expect(ending.before(never)).rejects.toBe(gone);
});
