// What a person asks for: intents written to the store, requests to an agent.
import type { FailoverIntent } from "../model/cluster.ts";
import type { PauseNote } from "../model/pause.ts";
import { patchConfig } from "../model/wire/config.ts";
import { printPauseNote, resumed } from "../model/wire/config-pause.ts";
import { type JsonObject, printJson } from "../model/wire/json.ts";
import { printRfc3339 } from "../model/wire/rfc3339.ts";
import type { Verb } from "../scenario/verbs.ts";
import { EPOCH_MS } from "./clock.ts";
import type { SimCluster } from "./cluster.ts";
import { hostFor, nothing, type Undo } from "./fault-target.ts";
import type { SimHost } from "./host.ts";
import { FAR } from "./remote.ts";

const LIMIT_MS = 3_000;

export function playOperator(cluster: SimCluster, verb: Verb, host: SimHost | undefined): Undo {
  switch (verb.do) {
    case "switchover":
      return intend(cluster, { fromLeader: true, candidate: verb.candidate, inMs: verb.inMs });
    case "failover":
      return intend(cluster, { fromLeader: false, candidate: verb.candidate, inMs: undefined });
    case "pause":
      setPaused(cluster, noteOf(cluster, verb.endsInMs));
      return () => setPaused(cluster, undefined);
    case "stopReader":
      return stopReaders(cluster);
    case "resume":
      setPaused(cluster, undefined);
      return nothing;
    case "confirmDown":
      if (host !== undefined) confirmDown(cluster, host);
      return nothing;
    case "promoteSite":
      change(cluster, "promote", (raw) => patchConfig(raw, { standby_cluster: null }));
      return nothing;
    case "demoteSite":
      change(cluster, "demote", (raw) => ({ ...raw, standby_cluster: { host: FAR, port: 5432 } }));
      return nothing;
    case "restart":
      nodeOf(cluster, host)?.requestRestart();
      return nothing;
    case "reinit":
      nodeOf(cluster, host)?.requestReinitialise();
      return nothing;
    case "repopulate":
      if (host !== undefined) repopulate(cluster, host);
      return nothing;
    case "detach":
    case "stopCleanly":
      return leave(cluster, host, verb.do);
    default:
      throw new Error(`not a verb of people: ${verb.do}`);
  }
}

function stopReaders({ readers }: SimCluster): Undo {
  for (const reader of readers) reader.isStopped = true;
  return () => {
    for (const reader of readers) reader.isStopped = false;
  };
}

const nodeOf = (cluster: SimCluster, host: SimHost | undefined) => {
  if (host?.agent?.isRunning !== true) return undefined;
  cluster.kernel.touch();
  return cluster.agent(host.name)?.node;
};

/** An operator's request that fails is shown to the operator, and that is all. */
function tell(cluster: SimCluster, what: string, work: Promise<unknown>): void {
  work.then(
    (result) =>
      cluster.truth.tell({ kind: "event", host: "operator", text: `${what}: ${String(result)}` }),
    (error: unknown) =>
      cluster.truth.tell({
        kind: "event",
        host: "operator",
        text: `${what} failed: ${String(error)}`,
      }),
  );
  cluster.kernel.touch();
}

interface Wish {
  readonly fromLeader: boolean;
  readonly candidate: string | undefined;
  readonly inMs: number | undefined;
}

function intend(cluster: SimCluster, wish: Wish): Undo {
  const candidate =
    wish.candidate === undefined
      ? undefined
      : (hostFor(cluster, wish.candidate)?.name ?? wish.candidate);
  const ask = async (): Promise<string> => {
    const seen = await cluster.operator.snapshot(LIMIT_MS);
    if (wish.fromLeader && seen.leader === undefined) return "refused: no leader";
    const intent: FailoverIntent = {
      leader: wish.fromLeader ? seen.leader?.name : undefined,
      candidate,
      scheduledAt:
        wish.inMs === undefined
          ? undefined
          : printRfc3339(EPOCH_MS + cluster.kernel.now + wish.inMs),
      scheduledAtMs:
        wish.inMs === undefined ? undefined : EPOCH_MS + cluster.kernel.now + wish.inMs,
    };
    return cluster.operator.writeFailover(intent, seen.failover.modRevision, LIMIT_MS);
  };
  tell(cluster, "failover intent", ask());
  return nothing;
}

/** With a note the cluster is paused, without one it is resumed. */
function setPaused(cluster: SimCluster, note: PauseNote | undefined): void {
  change(cluster, note === undefined ? "resume" : "pause", (before) => {
    const raw = resumed(before);
    return note === undefined ? raw : { ...raw, pause: true, pause_note: printPauseNote(note) };
  });
}

/** An edit of the dynamic configuration. */
function change(cluster: SimCluster, what: string, edit: (raw: JsonObject) => JsonObject): void {
  const work = async (): Promise<string> => {
    const seen = await cluster.operator.snapshot(LIMIT_MS);
    const wanted = edit(seen.config.value?.raw ?? {});
    return cluster.operator.writeConfig(printJson(wanted), seen.config.modRevision, LIMIT_MS);
  };
  tell(cluster, what, work());
}

/** Only who is right says so: what a wrong word costs is not for the simulator to show. */
function confirmDown(cluster: SimCluster, host: SimHost): void {
  const confirm = async (): Promise<string> => {
    const seen = await cluster.operator.snapshot(LIMIT_MS);
    const isNamed = seen.unguarded.value?.member === host.name;
    if (!isNamed || host.server.run !== undefined || host.agent?.isRunning === true)
      return "refused";
    return cluster.operator.clearUnguarded(seen.unguarded.modRevision, LIMIT_MS);
  };
  tell(cluster, `${host.name} is down`, confirm());
}

/** Written on its word, what was another store is the cluster's own from now on. */
function repopulate(cluster: SimCluster, host: SimHost): void {
  const ask = async (): Promise<string> => {
    const wish = { without: [], isDryRun: false };
    const outcome = await nodeOf(cluster, host)?.repopulate(wish);
    if (outcome?.kind === "written") cluster.store.isForeign = false;
    return outcome?.kind === "refused" ? `refused: ${outcome.why}` : String(outcome?.kind);
  };
  tell(cluster, `repopulate by ${host.name}`, ask());
}

function noteOf(cluster: SimCluster, endsInMs: number | undefined): PauseNote {
  const sinceMs = EPOCH_MS + cluster.kernel.now;
  const untilMs = endsInMs === undefined ? undefined : sinceMs + endsInMs;
  return { by: "operator", reason: undefined, sinceMs, untilMs };
}

/** The agent leaves in good order, and comes back when the verb ends. */
function leave(
  cluster: SimCluster,
  host: SimHost | undefined,
  how: "detach" | "stopCleanly",
): Undo {
  const node = nodeOf(cluster, host);
  if (host === undefined) return nothing;
  const { agent } = host;
  const left = how === "detach" ? node?.detach() : node?.stop();
  tell(
    cluster,
    how,
    (left ?? Promise.resolve()).then(() => agent?.kill()),
  );
  return () => {
    agent?.kill();
    cluster.startAgent(host.name);
  };
}
