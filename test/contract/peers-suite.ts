// What every way to the other members promises: HTTP or the simulator. Silence is an answer, and one costs no other.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { lsn } from "../../src/model/lsn.ts";
import type { PeerStatus } from "../../src/model/member.ts";
import { DEFAULT_TAGS } from "../../src/model/settings.ts";
import { between, type Ms } from "../../src/model/time.ts";
import { FIRST_BRANCH } from "../../src/model/timeline.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { Peers } from "../../src/ports/peers.ts";

export interface PeersUnderTest {
  readonly clock: Pick<Clock, "now">;
  readonly peers: Peers;
  /** Addresses: of a member that answers with this status, of one that takes the question and is silent, of nobody. */
  readonly answering: string;
  readonly silent: string;
  readonly nobody: string;
  [Symbol.asyncDispose](): Promise<void>;
}

export const STATUS: PeerStatus = {
  name: "n2",
  role: "standby",
  state: "running",
  position: lsn(0x5000028),
  timeline: 1,
  lineage: [FIRST_BRANCH],
  tags: DEFAULT_TAGS,
  watchdogFailed: false,
  unfit: undefined,
  promisedTerm: undefined,
};

const LIMIT_MS: Ms = 1_500;

export function peersContract(name: string, make: () => Promise<PeersUnderTest>): void {
  describe(`${name} keeps the promises of a question to peers`, () => {
    let stage: PeersUnderTest;
    beforeAll(async () => {
      stage = await make();
    });
    afterAll(() => stage[Symbol.asyncDispose]());

    it("brings the answer of a member, dated before it was asked for", async () => {
      const before = stage.clock.now();
      const answer = await stage.peers.ask(stage.answering, LIMIT_MS);
      expect(answer).toMatchObject({ kind: "known", value: STATUS });
      expect(answer.at).toBeGreaterThanOrEqual(before);
      expect(answer.at).toBeLessThan(stage.clock.now());
    });

    it("takes a refused connection for an answer: unknown, with a reason", async () => {
      const before = stage.clock.now();
      const answer = await stage.peers.ask(stage.nobody, LIMIT_MS);
      if (answer.kind === "known") throw new Error("somebody answered");
      expect(answer.why).not.toBe("");
      expect(between(before, stage.clock.now())).toBeLessThan(LIMIT_MS);
    });

    it("takes silence for an answer when the time is up, and not before", async () => {
      const before = stage.clock.now();
      const answer = await stage.peers.ask(stage.silent, LIMIT_MS);
      expect(answer.kind).toBe("unknown");
      expect(between(before, stage.clock.now())).toBeGreaterThanOrEqual(LIMIT_MS - 1);
    });

    it("reaches whoever answers at all, within a limit that is no whole number", async () => {
      const { peers, answering, nobody } = stage;
      expect(await peers.reach(answering, LIMIT_MS + 0.4)).toBe(true);
      expect(await peers.reach(nobody, LIMIT_MS + 0.4)).toBe(false);
    });

    it("brings every answer that there is, whoever else is silent", async () => {
      const { peers, answering, silent, nobody } = stage;
      const asked = [answering, silent, nobody, answering];
      const order: string[] = [];
      const answers = await Promise.all(
        asked.map(async (url) => {
          const answer = await peers.ask(url, LIMIT_MS);
          order.push(url);
          return answer.kind;
        }),
      );
      expect(answers).toEqual(["known", "unknown", "unknown", "known"]);
      expect(order.at(-1)).toBe(silent);
    });
  });
}
