// Which endpoints are there? The table behind the server and the reference.

import { HANDOVER_ROUTES } from "./handover.ts";
import type { Route } from "./route.ts";
import { AVAILABILITY_ROUTES } from "./routes-availability.ts";
import { CONFIG_ROUTES } from "./routes-config.ts";
import { DOCTOR_ROUTES } from "./routes-doctor.ts";
import { EVENT_ROUTES } from "./routes-events.ts";
import { FAILSAFE_ROUTES } from "./routes-failsafe.ts";
import { GAME_DAY_ROUTES } from "./routes-game-days.ts";
import { INCIDENT_ROUTES } from "./routes-incidents.ts";
import { JOB_ROUTES } from "./routes-jobs.ts";
import { LAG_ROUTES } from "./routes-lag.ts";
import { MAINTENANCE_ROUTES } from "./routes-maintenance.ts";
import { MEMBER_ROUTES } from "./routes-member.ts";
import { PAUSE_ROUTES } from "./routes-pause.ts";
import { POOL_ROUTES } from "./routes-pools.ts";
import { READ_ROUTES } from "./routes-read.ts";
import { SLOT_ROUTES } from "./routes-slots.ts";
import { STORE_ROUTES } from "./routes-store.ts";
import { VAULT_ROUTES } from "./routes-vault.ts";

export const ROUTES: readonly Route[] = [
  ...READ_ROUTES,
  ...EVENT_ROUTES,
  ...AVAILABILITY_ROUTES,
  ...INCIDENT_ROUTES,
  ...GAME_DAY_ROUTES,
  ...CONFIG_ROUTES,
  ...HANDOVER_ROUTES,
  ...MEMBER_ROUTES,
  ...MAINTENANCE_ROUTES,
  ...PAUSE_ROUTES,
  ...FAILSAFE_ROUTES,
  ...SLOT_ROUTES,
  ...LAG_ROUTES,
  ...STORE_ROUTES,
  ...POOL_ROUTES,
  ...DOCTOR_ROUTES,
  ...JOB_ROUTES,
  ...VAULT_ROUTES,
];
