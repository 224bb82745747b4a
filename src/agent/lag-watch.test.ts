import { expect, it } from "vitest";
import { MB, sampleAt, senderSample } from "../../test/support/lag-samples.ts";
import { after, type Instant, instant } from "../model/time.ts";
import type { Clock } from "../ports/clock.ts";
import { createLagWatch } from "./lag-watch.ts";

/** A clock whose only timer is run by hand; what the probe is asked, and what it answers next. */
function stage(behindBytes: () => number | undefined, noted: () => Promise<void> = async () => {}) {
  let now = instant(0);
  let due: { at: Instant; run: () => void } | undefined;
  const looks: { readonly at: number; readonly closely: boolean }[] = [];
  const clock = {
    now: () => now,
    wallMs: () => 1_000_000 + now,
    wakeAt(at: Instant, run: () => void) {
      due = { at, run };
      return {
        cancel() {
          due = undefined;
        },
      };
    },
  } as Partial<Clock> as Clock;
  const watch = createLagWatch({
    clock,
    log: { debug() {}, info() {}, warn() {}, error() {} },
    history: { note: noted, since: async () => [] },
    probe: {
      async sample(closely) {
        looks.push({ at: now, closely });
        const bytes = behindBytes();
        if (bytes === undefined) return undefined;
        const end = 100 * MB + looks.length;
        return sampleAt(now, end, { senders: [senderSample(end - bytes)] });
      },
      wal: async () => undefined,
      close() {},
    },
  });
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  return {
    watch,
    looks,
    settle,
    timer: () => due,
    async wait(ms: number) {
      const end = after(now, ms);
      await settle();
      while (due !== undefined && due.at <= end) {
        const { at, run } = due;
        due = undefined;
        now = at;
        run();
        await settle();
      }
      now = end;
    },
  };
}

it("looks every five seconds while nothing is behind, and asks for little", async () => {
  const { watch, looks, wait } = stage(() => 0);
  watch.start();
  await wait(20_000);
  expect(looks.map(({ at }) => at)).toEqual([0, 5_000, 10_000, 15_000, 20_000]);
  expect(looks.some(({ closely }) => closely)).toBe(false);
  expect(watch.report()?.standbys).toHaveLength(1);
});

it("looks twice a second, and closely, while something is behind", async () => {
  let bytes = 5 * MB;
  const { watch, looks, wait } = stage(() => bytes);
  watch.start();
  await wait(2_000);
  expect(looks.map(({ at }) => at)).toEqual([0, 500, 1_000, 1_500, 2_000]);
  bytes = 0;
  await wait(500);
  const before = looks.length;
  await wait(10_000);
  expect(looks.length - before).toBe(2);
});

it("looks at once when somebody asks, and goes back to calm afterwards", async () => {
  const { watch, looks, wait } = stage(() => 0);
  watch.start();
  await wait(1_000);
  watch.lookClosely();
  await wait(3_000);
  expect(looks.map(({ at }) => at)).toEqual([0, 1_000, 1_500, 2_000, 2_500, 3_000, 3_500, 4_000]);
  await wait(20_000);
  expect(looks.at(-1)?.closely).toBe(false);
});

it("knows nothing of a server that does not answer, and nothing more after its end", async () => {
  let bytes: number | undefined = 0;
  const { watch, wait, timer } = stage(() => bytes);
  watch.start();
  await wait(1_000);
  bytes = undefined;
  await wait(5_000);
  expect(watch.report()).toBeUndefined();
  watch.stop();
  expect(timer()).toBeUndefined();
});

it("is one loop, also when somebody asks while the history is being written", async () => {
  let written: () => void = () => undefined;
  const disk = new Promise<void>((resolve) => {
    written = resolve;
  });
  const { watch, looks, settle, wait } = stage(
    () => 0,
    () => disk,
  );
  watch.start();
  await settle();
  watch.lookClosely();
  await settle();
  expect(looks).toHaveLength(1);
  written();
  await wait(1_000);
  expect(looks.map(({ at }) => at)).toEqual([0, 500, 1_000]);
});
