// What do all nodes measure of the availability of writes, and how much of the budget is that?
import type { Incident } from "../incident/incident.ts";
import { attributed } from "../incident/spent.ts";
import {
  type Account,
  accountOf,
  burnRate,
  type Objective,
  type Outage,
  type Span,
  windowsAround,
} from "../model/budget.ts";
import { call, listIn, look } from "./rest.ts";
import type { Target } from "./target.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const TELL_LIMIT_MS = 10_000;

/** One way in as a node measures it. */
interface Way {
  readonly by: string;
  readonly path: string;
  readonly takesWrites: boolean;
  readonly why?: string;
  readonly objective: Objective;
  readonly outages: readonly Outage[];
  readonly measured: readonly Span[];
}

/** One way in with its accounts. */
export interface WayReport extends Way {
  readonly month: Account;
  readonly year: Account;
  readonly burn: { readonly hour: number | undefined; readonly day: number | undefined };
}

/** At that moment of the wall clock; empty where nothing is measured. */
export async function availabilityOf(target: Target, now: number): Promise<readonly WayReport[]> {
  const { ways, incidents } = await measuredBy(target);
  return ways.map((way) => reportOf(way, incidents, now));
}

function reportOf(way: Way, incidents: readonly Incident[], now: number): WayReport {
  const outages = attributed(way.outages, incidents);
  const seen = { outages, measured: way.measured, now };
  const { month, year } = windowsAround(now);
  return {
    ...way,
    outages,
    month: accountOf(seen, month, way.objective),
    year: accountOf(seen, year, way.objective),
    burn: {
      hour: burnRate(seen, HOUR_MS, way.objective),
      day: burnRate(seen, DAY_MS, way.objective),
    },
  };
}

/** All nodes are asked; those that measure nothing say so. */
async function measuredBy(target: Target) {
  const { members, routers = [], member } = await look(target);
  const nodes = [...members, ...routers];
  const urls = [...new Set(nodes.map(({ apiUrl }) => apiUrl))];
  const answers = await Promise.all(urls.map((url) => waysOf(target, url).catch(() => [])));
  const apiUrl = members.find(({ name }) => name === member)?.apiUrl ?? target.urls[0] ?? "";
  const told = await itemsAt(target, `${apiUrl}/understudy/incidents`).catch(() => undefined);
  return { ways: answers.flat(), incidents: (told?.items ?? []) as readonly Incident[] };
}

async function waysOf(target: Target, apiUrl: string): Promise<readonly Way[]> {
  const found = await itemsAt(target, `${apiUrl}/understudy/availability`);
  if (found === undefined) return [];
  const { objective, member } = found.whole as { objective: Objective; member: string };
  return (found.items as readonly Omit<Way, "by" | "objective">[]).map((item) => ({
    ...item,
    by: member,
    objective,
  }));
}

async function itemsAt(target: Target, url: string) {
  return listIn(await call(target, { method: "GET", url, timeoutMs: TELL_LIMIT_MS }));
}
