// Do all those who could take over promise not to? Together they may stand in for the store (R28).
import type { Roster } from "../model/cluster.ts";
import type { PromiseAsked } from "../model/promise.ts";
import type { Ms } from "../model/time.ts";
import type { Peers } from "../ports/peers.ts";

/** Those who have not promised, with their reason; nobody when there are no rivals at all. */
export async function missingPromises(
  peers: Pick<Peers, "promise">,
  rivals: Roster,
  asked: PromiseAsked,
  timeoutMs: Ms,
): Promise<readonly string[]> {
  const answers = await Promise.all(
    Object.entries(rivals).map(async ([name, apiUrl]) => {
      const answer = await peers.promise(apiUrl, { ...asked, to: name }, timeoutMs);
      return answer.kind === "promised" ? [] : [`${name}: ${answer.why}`];
    }),
  );
  return answers.flat();
}
