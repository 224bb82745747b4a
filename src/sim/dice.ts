// Dice of one schedule: small, seeded, and the same on every machine (xoshiro128**, seeded by splitmix32).
import type { Random } from "../ports/random.ts";

export interface Dice extends Random {
  /** A real number in [0, 1). */
  real(): number;
  /** A real number in [low, high). */
  between(low: number, high: number): number;
  chance(probability: number): boolean;
  pick<T>(items: readonly T[]): T;
  /** Dice of their own for one part of the schedule, so that parts don't disturb each other. */
  fork(name: string): Dice;
}

/** A well-mixed 32-bit number from text: names become seeds. */
export function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  return hash >>> 0;
}

function splitmix(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return (z ^ (z >>> 15)) >>> 0;
  };
}

const rotate = (x: number, by: number): number => (x << by) | (x >>> (32 - by));

/** Dice that give the same throws for the same seed. */
export function dice(seed: number): Dice {
  const mix = splitmix(seed);
  let [a, b, c, d] = [mix(), mix(), mix(), mix()];
  const next = (): number => {
    const result = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0;
    const t = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= t;
    d = rotate(d, 11);
    return result;
  };
  const real = (): number => next() / 0x100000000;
  const integer = (below: number): number => Math.floor(real() * below);
  return {
    real,
    integer,
    between: (low, high) => low + real() * (high - low),
    chance: (probability) => real() < probability,
    pick: (items) => {
      const item = items[integer(items.length)];
      if (item === undefined) throw new Error("nothing to pick from");
      return item;
    },
    leaseId: () => ((BigInt(next() & 0x3fffffff) << 32n) | BigInt(next()) | 1n).toString(),
    fork: (name) => dice(hashText(`${seed}/${name}`)),
  };
}
