// What do the other members say when asked directly?
import { asAppError } from "../../model/error.ts";
import { known, unknown } from "../../model/known.ts";
import type { Credentials } from "../../model/settings.ts";
import { ACCEPTED, printPromiseAsked } from "../../model/wire/failsafe.ts";
import { baseUrl } from "../../model/wire/member.ts";
import { parsePatroni } from "../../model/wire/rest.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Peers } from "../../ports/peers.ts";
import { callHttp, type TlsMaterial } from "../http/client.ts";

interface PeersOptions {
  readonly clock: Pick<Clock, "now">;
  readonly scope: string;
  /** What all members ask for before they change anything. */
  readonly credentials?: Credentials | undefined;
  /** Our own certificates double as the client's: members trust the same authority. */
  readonly tls?: TlsMaterial;
}

/** Asks over the same REST address that people use. Silence and nonsense are answers: "unknown". */
export function createPeers({ clock, scope, credentials, tls }: PeersOptions): Peers {
  return {
    async ask(apiUrl, timeoutMs) {
      // The age of an answer counts from the moment before it was asked for.
      const askedAt = clock.now();
      try {
        const url = `${baseUrl(apiUrl)}/patroni`;
        const answer = await callHttp({
          method: "GET",
          url,
          timeoutMs,
          ...(tls === undefined ? {} : { tls }),
        });
        const status = answer.status === 200 ? parsePatroni(answer.body) : undefined;
        if (status !== undefined) return known(status, askedAt);
        return unknown(`the answer (${answer.status}) is not a member's`, askedAt);
      } catch (error) {
        const failure = asAppError(error, "PEER_UNREACHABLE", `asking ${apiUrl}`);
        return unknown(failure.why === "" ? failure.message : failure.why, askedAt);
      }
    },
    async reach(apiUrl, timeoutMs) {
      const url = `${baseUrl(apiUrl)}/liveness`;
      try {
        await callHttp({ method: "GET", url, timeoutMs, ...(tls === undefined ? {} : { tls }) });
        return true;
      } catch {
        return false;
      }
    },
    async promise(apiUrl, asked, timeoutMs) {
      try {
        const answer = await callHttp({
          method: "POST",
          url: `${baseUrl(apiUrl)}/failsafe`,
          body: printPromiseAsked({ ...asked, scope }),
          timeoutMs,
          ...(credentials === undefined ? {} : { credentials }),
          ...(tls === undefined ? {} : { tls }),
        });
        if (answer.status === 200 && answer.body.trim() === ACCEPTED) return { kind: "promised" };
        return { kind: "refused", why: `${answer.status} ${answer.body.slice(0, 100)}`.trim() };
      } catch (error) {
        const failure = asAppError(error, "PEER_UNREACHABLE", `asking ${apiUrl}`);
        return { kind: "unknown", why: failure.why === "" ? failure.message : failure.why };
      }
    },
  };
}
