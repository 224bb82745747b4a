// What are metrics about standbys called where dashboards already know the old word?
import type { MemberRole } from "../member.ts";

export const METRIC_OF_STANDBY = "patroni_replica";

export const isPublicStandby = (role: MemberRole): boolean => role === "standby";
