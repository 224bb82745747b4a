// How do the numbers reach Prometheus? The only place that knows the metrics library.
import { Counter, Gauge, Registry } from "prom-client";
import { readDrills } from "../drills.ts";
import { addLagMetrics } from "./lag-metrics.ts";
import { METRICS, REASON_METRIC, sampleOf } from "./metric-table.ts";
import type { View } from "./node-view.ts";
import type { About, Moment } from "./own-status.ts";

/** Labels `kind` and `cause`: what goes on, or nobody has looked at. */
export const TROUBLE_METRIC = {
  name: "understudy_incident_cause",
  type: "gauge",
  help: "incidents that go on or that nobody has looked at, by what they were and why",
} as const;

function addTroubles(registry: Registry, { incidents }: View): void {
  const labelNames = ["kind", "cause"];
  const troubles = new Gauge({ ...TROUBLE_METRIC, labelNames, registers: [registry] });
  for (const { kind, cause } of incidents?.open ?? []) troubles.inc({ kind, cause });
}

/** The text of `/metrics`; every sample names the cluster and the member. */
export async function renderMetrics(
  view: View,
  about: About & { readonly settings: { readonly postgres: { readonly stateDir: string } } },
  moment: Moment,
): Promise<string> {
  const registry = new Registry();
  registry.setDefaultLabels({ scope: about.settings.scope, name: view.member.name });
  const sample = sampleOf(view, await readDrills(about.settings.postgres.stateDir), moment);
  for (const { name, help, type, read } of METRICS) {
    const value = read(sample);
    if (value === undefined) continue;
    const options = { name, help, registers: [registry] };
    if (type === "gauge") new Gauge(options).set(value);
    else new Counter(options).inc(value);
  }
  const reasons = new Gauge({ ...REASON_METRIC, labelNames: ["reason"], registers: [registry] });
  if (view.because !== undefined) reasons.set({ reason: view.because.reason }, 1);
  if (view.lag !== undefined) addLagMetrics(registry, view.lag, view.member.name);
  addTroubles(registry, view);
  return registry.metrics();
}
