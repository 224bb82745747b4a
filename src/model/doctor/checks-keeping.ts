// Are backups made, read back and let go?
import { printSpan } from "../amounts.ts";
import type { Ms } from "../time.ts";
import type { Check } from "./check.ts";
import type { HeldFacts, NodeFacts } from "./facts.ts";

/** A week and a day: one missed run of a weekly schedule is none yet. */
const OLD_MS: Ms = 8 * 86_400_000;

const held = ({ keeping }: NodeFacts): readonly HeldFacts[] => keeping?.held ?? [];

const isOld = (atMs: number | undefined, { wallMs }: NodeFacts): boolean =>
  atMs === undefined || wallMs - atMs > OLD_MS;

const ageOf = (atMs: number, { wallMs }: NodeFacts): string => printSpan(wallMs - atMs);

export const KEEPING_CHECKS: readonly Check[] = [
  {
    id: "backup_old",
    group: "backup",
    severity: "warning",
    wanted: "a base backup of the last 8 days in every repository",
    why: "a restore takes the longer the more WAL lies behind its backup, and an archive of WAL alone restores nothing",
    fix: "understudy backup run, and backup.schedules.base for the next ones",
    found: (facts) =>
      held(facts)
        .filter(({ newestAtMs }) => isOld(newestAtMs, facts))
        .map(({ name, newestAtMs }) =>
          newestAtMs === undefined
            ? `${name} holds no base backup`
            : `the newest of ${name} is ${ageOf(newestAtMs, facts)} old`,
        ),
  },
  {
    id: "backup_unverified",
    group: "backup",
    severity: "warning",
    wanted: "a base backup that was read back in the last 8 days, in every repository",
    why: "damage shows on the day of the restore, and nothing expires while nothing is verified",
    fix: "understudy backup verify, and backup.schedules.verify for the next ones",
    found: (facts) =>
      held(facts)
        .filter(({ backups, verifiedAtMs }) => backups > 0 && isOld(verifiedAtMs, facts))
        .map(({ name, verifiedAtMs }) =>
          verifiedAtMs === undefined
            ? `nothing in ${name} was ever read back`
            : `in ${name} one was last read back ${ageOf(verifiedAtMs, facts)} ago`,
        ),
  },
  {
    id: "backup_no_retention",
    group: "backup",
    severity: "notice",
    wanted: "a retention for every repository",
    why: "nothing is ever removed, so its disk is full one day, and then WAL fills the server's",
    fix: "say in backup.retention how long backups stay, then understudy backup expire",
    found: ({ keeping }) =>
      (keeping?.withoutRetention ?? []).map((name) => `${name} keeps everything`),
  },
  {
    id: "backup_no_schedule",
    group: "backup",
    severity: "notice",
    wanted: "base backups that are made by themselves",
    why: "a backup that somebody has to think of is missing when it counts",
    fix: "set backup.schedules.base; with a timer of your own there is nothing to do",
    found: ({ keeping }) =>
      keeping === undefined || keeping.isScheduled ? [] : ["backup.schedules has no base backups"],
  },
];
