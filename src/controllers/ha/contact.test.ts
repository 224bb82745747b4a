// Is silence only what was really tried, for long enough, by a loop that was not late?
import { describe, expect, it } from "vitest";
import { virtualClock } from "../../../test/support/clock.ts";
import { leading, NOW } from "../../../test/support/world.ts";
import type { ClusterSnapshot } from "../../model/cluster.ts";
import { DEFAULT_CONFIG } from "../../model/config.ts";
import { type Known, unknown } from "../../model/known.ts";
import { after, type Ms } from "../../model/time.ts";
import { listen } from "./contact.ts";
import type { HaMemory } from "./world.ts";

const HELD = { term: 100, validUntil: after(NOW, 6_000) };

interface Room {
  readonly isHolder?: boolean;
  readonly heardAgoMs?: Ms;
  /** When the store answers; never when it is undefined. */
  readonly storeMs?: Ms;
  readonly peerMs?: Ms;
  /** How much later than its limit the look comes back. */
  readonly lateMs?: Ms;
}

async function heardIn(room: Room) {
  const clock = virtualClock(NOW);
  const reached: Ms[] = [];
  const limits: Ms[] = [];
  const ports = {
    clock,
    lease: {
      view: () => ({ held: room.isHolder === false ? undefined : HELD, renewedAt: undefined }),
    },
    peers: {
      async reach(_: string, timeoutMs: Ms) {
        reached.push(timeoutMs);
        const answers = room.peerMs !== undefined && room.peerMs <= timeoutMs;
        await clock.sleep(answers ? (room.peerMs ?? 0) : timeoutMs);
        return answers;
      },
    },
  } as unknown as Parameters<typeof listen>[0];
  const world = leading();
  const memory: HaMemory = { ...world.memory, heardAt: after(NOW, -(room.heardAgoMs ?? 0)) };
  const listening = listen(ports, {
    self: "n1",
    config: DEFAULT_CONFIG,
    memory,
    async read(limitMs): Promise<Known<ClusterSnapshot>> {
      limits.push(limitMs);
      const answers = room.storeMs !== undefined && room.storeMs <= limitMs;
      await clock.sleep(answers ? (room.storeMs ?? 0) : limitMs + (room.lateMs ?? 0));
      return answers && world.store.kind === "known"
        ? { ...world.store, at: clock.now() }
        : unknown("no answer", clock.now());
    },
  });
  await clock.pass(10_000);
  return { ...(await listening), reached, limits };
}

describe("a holder's look", () => {
  it("asks no peer when the store answers at once", async () => {
    const { contact, reached } = await heardIn({ storeMs: 5 });
    expect(contact).toEqual({ heardAt: NOW + 5, everybodySilent: false });
    expect(reached).toEqual([]);
  });

  it("asks every rival when it does not, and one answer is contact enough", async () => {
    const { contact, reached } = await heardIn({ peerMs: 20 });
    expect(contact).toEqual({ heardAt: NOW + 150 + 20, everybodySilent: false });
    expect(reached).toHaveLength(2);
  });

  it("takes a late answer of the store for one", async () => {
    const { contact, store } = await heardIn({ storeMs: 900 });
    expect(contact).toEqual({ heardAt: NOW + 900, everybodySilent: false });
    expect(store.kind).toBe("known");
  });

  it("is back at the moment of isolation, having asked everybody for half a second", async () => {
    const { contact, limits, reached } = await heardIn({ heardAgoMs: 1_900 });
    expect(contact).toEqual({ heardAt: undefined, everybodySilent: true });
    expect(limits).toEqual([1_100]);
    expect(reached).toEqual([950, 950]);
    expect((await heardIn({ heardAgoMs: 2_900 })).limits).toEqual([500]);
    expect((await heardIn({ heardAgoMs: 30_000 })).limits).toEqual([2_000]);
    expect((await heardIn({ heardAgoMs: 0 })).limits).toEqual([2_000]);
  });

  it("proves nothing when the loop itself was late", async () => {
    const { contact } = await heardIn({ lateMs: 501 });
    expect(contact).toEqual({ heardAt: undefined, everybodySilent: false });
  });
});

it("nobody else's look asks peers for this", async () => {
  const { contact, limits, reached } = await heardIn({ isHolder: false });
  expect(contact).toEqual({ heardAt: undefined, everybodySilent: false });
  expect(limits).toEqual([DEFAULT_CONFIG.retryTimeoutMs]);
  expect(reached).toEqual([]);
});
