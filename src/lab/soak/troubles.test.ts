import { describe, expect, it } from "vitest";
import { VERB_NAMES } from "../../scenario/verbs.ts";
import { canPlayVerb } from "../play.ts";
import { failoversOf, type Round, roundsOf, TROUBLES } from "./troubles.ts";

const first = (seed: number, count: number) => {
  const rounds = roundsOf(seed, TROUBLES);
  return Array.from({ length: count }, () => rounds.next().value);
};

describe("the rounds of a seed", () => {
  it("are the same for the same seed, and others for another", () => {
    expect(first(7, 50)).toEqual(first(7, 50));
    expect(first(7, 50)).not.toEqual(first(8, 50));
  });

  it("reach every kind and stay within what each of them says", () => {
    const rounds = first(1, 1_000);
    expect(new Set(rounds.map(({ trouble }) => trouble.kind)).size).toBe(TROUBLES.length);
    for (const { trouble, target, forTtls } of rounds) {
      expect(forTtls).toBeGreaterThanOrEqual(trouble.lasts[0]);
      expect(forTtls).toBeLessThanOrEqual(trouble.lasts[1]);
      if (trouble.on === "primary") expect(target).toBe("primary");
      if (trouble.on === "standby") expect(target).not.toBe("primary");
    }
  });
});

describe("rounds that lead to failovers", () => {
  const play = (failoversIn: (kind: string, rounds: number) => number, wanted: number) => {
    const played: Round[] = [];
    const soFar = (kind: string) => {
      const rounds = played.filter(({ trouble }) => trouble.kind === kind).length;
      return { rounds, failovers: failoversIn(kind, rounds) };
    };
    for (const round of failoversOf(TROUBLES, wanted, soFar)) {
      if (played.push(round) >= 1_000) break;
    }
    return played;
  };

  it("hit the primary with every kind equally often, until there are enough", () => {
    const played = play((_, rounds) => rounds, 3);
    const kinds = TROUBLES.filter(({ failsOver }) => failsOver === true).map(({ kind }) => kind);
    expect(played.map(({ trouble }) => trouble.kind)).toEqual([...kinds, ...kinds, ...kinds]);
    expect(new Set(played.map(({ target }) => target))).toEqual(new Set(["primary"]));
  });

  it("do not forget the others over a kind that causes none", () => {
    const played = play((kind, rounds) => (kind === "killPostmaster" ? 0 : rounds), 2);
    const others = played.slice(0, 40).map(({ trouble }) => trouble.kind);
    expect(new Set(others).size).toBeGreaterThan(10);
    expect(played.at(-1)?.trouble.kind).toBe("killPostmaster");
  });
});

describe("every trouble", () => {
  it("is made of verbs that the lab can play", () => {
    const verbs = TROUBLES.flatMap((trouble) => trouble.verbs("n1").map(({ do: name }) => name));
    expect(verbs.filter((name) => !VERB_NAMES.includes(name) || !canPlayVerb(name))).toEqual([]);
  });

  it("has a kind of its own", () => {
    const kinds = TROUBLES.map(({ kind }) => kind);
    expect(new Set(kinds).size).toBe(kinds.length);
  });
});
