// What does `GET /patroni` say at this moment?
import { valueOf } from "../../model/known.ts";
import type { NodeSettings } from "../../model/settings.ts";
import { between, type Instant } from "../../model/time.ts";
import type { JsonObject } from "../../model/wire/json.ts";
import { PUBLISHED_VERSION } from "../../model/wire/member.ts";
import { printPatroni } from "../../model/wire/rest.ts";
import type { View } from "./node-view.ts";

export interface Moment {
  readonly now: Instant;
  readonly wallMs: number;
}

export interface About {
  readonly settings: Pick<NodeSettings, "scope">;
  readonly agentVersion: string;
}

/** The fields of the answer; health checks carry the same ones. */
export function ownStatus(view: View, about: About, { now, wallMs }: Moment): JsonObject {
  const cluster = view.cluster?.seen;
  const ageMs = view.cluster === undefined ? 0 : between(view.cluster.at, now);
  return printPatroni({
    scope: about.settings.scope,
    agentVersion: about.agentVersion,
    patroniVersion: PUBLISHED_VERSION,
    member: view.member,
    peer: view.peer,
    sql: view.server === undefined ? undefined : valueOf(view.server.seen.sql),
    systemId: view.server?.seen.control?.systemId ?? cluster?.initialize.value,
    cluster,
    paused: view.config.paused,
    storeSeenS: view.cluster === undefined ? 0 : Math.floor((wallMs - ageMs) / 1000),
    because: view.because?.reason,
  });
}
