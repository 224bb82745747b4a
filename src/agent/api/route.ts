// What is a route, what does it get, and what may it answer?
import { type AppError, asAppError } from "../../model/error.ts";
import type { Blocking } from "../../model/maintenance/blocking.ts";
import type { NodeSettings } from "../../model/settings.ts";
import { printRfc3339 } from "../../model/wire/rfc3339.ts";
import type { Router } from "../../node/router.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import type { AvailabilityWatch } from "../availability/watch.ts";
import type { Chronicle } from "../chronicle/chronicle.ts";
import type { GameDays } from "../game-days/game-days.ts";
import type { IncidentKeeper } from "../incidents/keeper.ts";
import type { Jobs } from "../jobs.ts";
import type { ScheduleKeeper } from "../schedule/keeper.ts";
import type { Doctor, NodeView } from "./node-view.ts";

export interface ApiContext {
  readonly node: NodeView;
  readonly settings: NodeSettings;
  readonly clock: Clock;
  readonly log: Log;
  readonly agentVersion: string;
  /** Clients come in on this node as well. */
  readonly router?: Router | undefined;
  /** Long work of this node, in workers of its own. */
  readonly jobs?: Jobs | undefined;
  /** What runs by itself. */
  readonly schedule?: Pick<ScheduleKeeper, "view"> | undefined;
  /** What has happened on this node. */
  readonly chronicle?: Chronicle | undefined;
  readonly incidents?: IncidentKeeper | undefined;
  readonly gameDays?: GameDays | undefined;
  readonly doctor?: Doctor;
  /** Looks for maintenance that keeps clients waiting; throws PG_SQL_…. */
  readonly blocking?: () => Promise<readonly Blocking[]>;
  /** What is measured here by writes of our own. */
  readonly availability?: AvailabilityWatch | undefined;
}

export interface RouteRequest {
  readonly query: URLSearchParams;
  /** The parsed body; undefined when there was none. */
  readonly body: Readonly<Record<string, unknown>> | undefined;
}

export interface RouteAnswer {
  readonly status: number;
  readonly json?: unknown;
  readonly text?: string;
  readonly contentType?: string;
  /** Goes on until its reader leaves; `text` and `json` are not looked at then. */
  readonly stream?: ReadableStream<Uint8Array>;
}

export interface Route {
  readonly method: "GET" | "POST" | "PATCH" | "PUT" | "DELETE";
  readonly path: string;
  /** One line for the reference. */
  readonly about: string;
  readonly body?: "required" | "optional";
  readonly answer: (
    context: ApiContext,
    request: RouteRequest,
  ) => Promise<RouteAnswer> | RouteAnswer;
}

export const json = (value: unknown, status = 200): RouteAnswer => ({ status, json: value });

interface Teller {
  readonly clock: Pick<Clock, "wallMs">;
  readonly settings: Pick<NodeSettings, "name">;
}

/** One of our documents: what it is, when it was so, which node says it, and what it says. */
export const document = (kind: string, { clock, settings }: Teller, said: object): RouteAnswer => {
  const asOf = printRfc3339(clock.wallMs());
  return json({ apiVersion: "understudy/v1", kind, asOf, member: settings.name, ...said });
};

export const text = (status: number, words: string): RouteAnswer => ({ status, text: words });

/** What failed, why, and what next: three lines, and a status that says whose turn it is. */
export function failure(error: unknown, attempt: string): RouteAnswer {
  const failed = asAppError(error, "NOT_POSSIBLE", attempt);
  return text(statusOf(failed), failed.lines().join("\n"));
}

const statusOf = (error: AppError): number => (error.code === "CONFIG_INVALID" ? 400 : 503);
