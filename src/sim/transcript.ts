// What happened, one aligned line an event: decisions, faults, and what really became of the servers.
import type { SimCluster } from "./cluster.ts";
import type { Truth, TruthListener } from "./truth.ts";

/** Everything, or only what tells the story. */
export type Detail = "story" | "trace";

/** Collects lines while the schedule runs. */
export function transcript(cluster: SimCluster, detail: Detail): readonly string[] {
  const lines: string[] = [];
  cluster.truth.listen(printing(detail, (text) => lines.push(text)));
  return lines;
}

/** A listener that writes a line for each event worth one. */
export function printing(detail: Detail, write: (line: string) => void): TruthListener {
  const last = new Map<string, string>();
  return (truth, at) => {
    const text = line(truth, detail);
    if (text === undefined) return;
    const who = "host" in truth ? truth.host : "*";
    if (detail === "story" && last.get(who) === text) return;
    last.set(who, text);
    write(`${(at / 1000).toFixed(3).padStart(9)}  ${who.padEnd(8)}  ${text}`);
  };
}

function line(truth: Truth, detail: Detail): string | undefined {
  switch (truth.kind) {
    case "decision": {
      if (detail === "story" && truth.reason === "job_running") return undefined;
      const more = truth.fields["detail"];
      const why = detail === "trace" && typeof more === "string" ? ` (${more})` : "";
      return `${truth.reason.padEnd(28)}${truth.step ?? ""}${why}`.trimEnd();
    }
    case "fault":
      return `--- ${truth.text}`;
    case "writable":
      return truth.on ? "=== takes writes" : `=== takes no more writes ${truth.why}`.trimEnd();
    case "promoted":
      return `=== promoted to timeline ${truth.branch.timeline}`;
    case "fence-fired":
      return truth.isParting ? "=== the fence asks the server to stop" : "=== the fence fires";
    case "fence-unguarded":
      return "=== runs without a deadline";
    case "wrong-rows":
      return `=== WRONG ROWS from ${truth.upstream}`;
    case "slot-dropped":
      return `=== drops the slot ${truth.slot}`;
    case "routed":
      return `=== writers are sent to ${truth.to ?? "nobody"}`;
    case "clients-paused":
      return truth.on ? "=== clients wait" : "=== clients go on";
    case "slot-ahead":
      return `=== SKIPS ${truth.from} to ${truth.to} for the reader of ${truth.slot}`;
    case "event":
      return detail === "trace" ? `... ${truth.text}` : undefined;
    case "promotion-begun":
    case "start-as-primary":
    case "data-removed":
      return detail === "trace" ? `... ${truth.kind}` : undefined;
    case "acknowledged":
    case "server-start":
    case "copies-placed":
    case "look":
    case "shown":
    case "renewal-sent":
    case "lease-confirmed":
    case "promised":
    case "fence-armed":
    case "stored":
      return undefined;
    default:
      return truth satisfies never;
  }
}
