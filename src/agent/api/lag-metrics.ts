// Which numbers about lag does `/metrics` carry? One sample for each standby and stage, and a few for each standby.
import { Gauge, type Registry } from "prom-client";
import type { LagCase } from "../../model/lag/case.ts";
import { diagnose } from "../../model/lag/diagnosis.ts";
import { type LagReport, type SentReport, STAGES, type StageGap } from "../../model/lag/report.ts";

interface StageMetric {
  readonly name: string;
  readonly type: "gauge";
  readonly help: string;
  readonly of: (stage: StageGap) => number;
}

interface StandbyMetric {
  readonly name: string;
  readonly type: "gauge";
  readonly help: string;
  readonly of: (standby: SentReport) => number | undefined;
}

/** Labels `standby` and `stage`: sent, write, flush, replay. */
export const LAG_STAGE_METRICS: readonly StageMetric[] = [
  {
    name: "understudy_lag_stage_bytes",
    type: "gauge",
    help: "WAL held up at this stage, behind the stage before",
    of: ({ gapBytes }) => gapBytes,
  },
  {
    name: "understudy_lag_bytes",
    type: "gauge",
    help: "WAL between this stage and the end",
    of: ({ behindBytes }) => behindBytes,
  },
  {
    name: "understudy_lag_seconds",
    type: "gauge",
    help: "age of the first byte that has not come to this stage; 0 while nothing is written",
    of: ({ behindMs }) => behindMs / 1000,
  },
];

/** Label `standby`. */
export const LAG_STANDBY_METRICS: readonly StandbyMetric[] = [
  {
    name: "understudy_lag_trend_bytes_per_second",
    type: "gauge",
    help: "how fast what is not replayed grows; negative while the standby catches up",
    of: ({ trendPerSecond }) => trendPerSecond,
  },
  {
    name: "understudy_lag_catch_up_seconds",
    type: "gauge",
    help: "until the standby has everything at this rate; absent while it comes no nearer",
    of: ({ catchUpMs }) => (catchUpMs === undefined ? undefined : catchUpMs / 1000),
  },
  {
    name: "understudy_lag_reply_age_seconds",
    type: "gauge",
    help: "time since the standby last answered",
    of: ({ replyAgeMs }) => (replyAgeMs === undefined ? undefined : replyAgeMs / 1000),
  },
];

/** Labels `standby`, `cause`, `weight` (fine, note, trouble) and `by`: its upstream, or itself. */
export const LAG_CAUSE_METRIC = {
  name: "understudy_lag_cause",
  type: "gauge",
  help: "1 for what holds WAL up now as `by` sees it: the upstream knows sending and network, the standby itself disk, replay and queries",
} as const;

/** Each side alone: who collects numbers has both. */
export function addLagMetrics(registry: Registry, report: LagReport, member: string): void {
  const { standbys } = report;
  const registers = [registry];
  const labelNames = ["standby", "cause", "weight", "by"];
  const causes = new Gauge({ ...LAG_CAUSE_METRIC, labelNames, registers });
  for (const one of casesIn(report, member)) {
    const { cause, weight } = diagnose(one);
    const by = one.own === undefined ? "upstream" : "standby";
    causes.set({ standby: one.name, cause, weight, by }, 1);
  }
  for (const { name, help, of } of LAG_STAGE_METRICS) {
    const series = new Gauge({ name, help, labelNames: ["standby", "stage"], registers });
    for (const { name: standby, stages } of standbys)
      for (const stage of STAGES) series.set({ standby, stage }, of(stages[stage]));
  }
  for (const { name, help, of } of LAG_STANDBY_METRICS) {
    const series = new Gauge({ name, help, labelNames: ["standby"], registers });
    for (const standby of standbys) {
      const value = of(standby);
      if (value !== undefined) series.set({ standby: standby.name }, value);
    }
  }
}

/** What this member can say of those that it feeds, and of itself as a standby. */
function casesIn(report: LagReport, name: string): readonly LagCase[] {
  const { standbys, own, version, walPerSecond, stillMs, ageMs, steadyMs } = report;
  const look = { ageMs, steadyMs };
  const nothing = { sent: undefined, own: undefined, upstreamLook: undefined, ownLook: undefined };
  const around = { ...nothing, version, walPerSecond, stillMs };
  return [
    ...standbys.map((sent) => ({ ...around, name: sent.name, sent, upstreamLook: look })),
    ...(own === undefined ? [] : [{ ...around, name, own, ownLook: look }]),
  ];
}
