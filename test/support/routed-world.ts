// Worlds of a leader whose clients come in through routers.
import type { HoldAnswer, RouterStatus } from "../../src/model/route.ts";
import { after, type Ms } from "../../src/model/time.ts";
import { type Change, cluster, intent, NOW, outcome, peerSays, remembering } from "./world.ts";

/** The revision of the wish in every world of `intent`. */
export const WISH = 400;

const routerNamed = (name: string, answer: HoldAnswer | undefined): RouterStatus => ({
  name,
  agent: "1",
  apiUrl: `http://${name}.example:8008`,
  addresses: {},
  term: 100,
  primary: "n1",
  answer,
  answersWithinMs: 7_000,
  because: "routing",
});

/** Routers r1, r2 … that answered so, in this order. */
export const routed = (...answers: readonly (HoldAnswer | undefined)[]): Change =>
  cluster(() => ({ routers: answers.map((answer, i) => routerNamed(`r${i + 1}`, answer)) }));

export const HELD: HoldAnswer = { kind: "held", intent: WISH };
export const BUSY: HoldAnswer = { kind: "busy", intent: WISH, blockers: ["app@10.0.0.9"] };

/** n2 could take over, and the wish for it stands in the store. */
export const wished: Change = (w) =>
  peerSays("n2")(
    cluster((c) => ({ failover: { ...c.failover, modRevision: WISH } }))(
      intent({ leader: "n1" })(w),
    ),
  );

/** The routers have been asked since then. */
export const askedFor =
  (agoMs: Ms): Change =>
  (w) =>
    outcome("checkpoint", { agoMs })(
      remembering({ handover: { revision: WISH, since: after(NOW, -agoMs) } })(w),
    );
