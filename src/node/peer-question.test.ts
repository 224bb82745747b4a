import { expect, it } from "vitest";
import { settled, virtualClock } from "../../test/support/clock.ts";
import { askPeer } from "../controllers/ha/peer-question.ts";
import { unknown } from "../model/known.ts";
import { instant, type Ms } from "../model/time.ts";
import { Silence } from "./silence.ts";

const N2 = { name: "n2", apiUrl: "http://n2" };

/** One peer that takes so long for an answer; undefined: it never answers. */
function stageOf(takesMs: () => Ms | undefined) {
  const clock = virtualClock(instant(1_000_000));
  const peers = {
    async ask(_: string, limitMs: Ms) {
      const takes = takesMs();
      await clock.sleep(Math.min(takes ?? limitMs, limitMs));
      const at = clock.now();
      if (takes === undefined || takes > limitMs) return unknown("silent", at);
      return { kind: "known", value: { name: "n2" } as never, at } as const;
    },
  };
  const silence = new Silence(clock);
  const ask = async () => {
    const begun = clock.now();
    let found: { readonly kind: string; readonly tookMs: Ms } | undefined;
    const answered = ({ kind }: { readonly kind: string }): void => {
      found = { kind, tookMs: clock.now() - begun };
    };
    void askPeer({ clock, peers }, silence, N2).then(answered);
    while (found === undefined) {
      await clock.pass(10);
      await settled();
    }
    return found;
  };
  return { clock, ask };
}

it("waits for the full time once, and briefly at the looks that follow", async () => {
  const { ask } = stageOf(() => undefined);
  expect(await ask()).toEqual({ kind: "unknown", tookMs: 500 });
  expect(await ask()).toEqual({ kind: "unknown", tookMs: 100 });
  expect(await ask()).toEqual({ kind: "unknown", tookMs: 100 });
});

it("does not hold one late answer against a member that is only busy", async () => {
  let takes: Ms | undefined = 700;
  const { clock, ask } = stageOf(() => takes);
  expect(await ask()).toEqual({ kind: "unknown", tookMs: 500 });
  takes = 300;
  expect(await ask()).toEqual({ kind: "unknown", tookMs: 100 });
  await clock.pass(300);
  expect(await ask()).toEqual({ kind: "known", tookMs: 300 });
});
