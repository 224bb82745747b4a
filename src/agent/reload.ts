// What happens when the node's file is read again? All of it is taken over, or nothing.
import { AppError, asAppError } from "../model/error.ts";
import type { NodeSettings } from "../model/settings.ts";
import type { Node } from "../node/node.ts";
import type { Log } from "../ports/log.ts";
import type { RequestOutcome } from "./api/node-view.ts";
import { loadNode } from "./load.ts";

export interface ReloadOptions {
  readonly file: string;
  /** What the agent was started with. */
  readonly settings: NodeSettings;
  readonly node: Node;
  readonly log: Log;
  reopenLog(): void;
  /** What else obeys the file hears of it once the node does. */
  onReload(settings: NodeSettings): void;
}

/** Reads the file and applies what can change while running; a file that is not valid changes nothing. */
export function createReload(o: ReloadOptions): () => Promise<RequestOutcome> {
  const { file, log } = o;
  return async () => {
    try {
      o.reopenLog();
      const loaded = await loadNode(file, {
        warning: (finding) => log.warn("the file is odd", { finding }),
        problem: (finding) => log.error("the file is not valid", { finding }),
      });
      if (loaded.kind !== "settings")
        throw new AppError("CONFIG_INVALID", `reading ${file}`, "the postgresql section is gone");
      const { settings } = loaded;
      const later = needsNewStart(o.settings, settings);
      o.node.reconfigure(settings);
      o.onReload(settings);
      log.info("the file was read again", { file });
      if (later.length > 0) {
        log.warn("some settings take effect when the agent is started again", { settings: later });
      }
      return { kind: "done" };
    } catch (error) {
      const failure = asAppError(error, "CONFIG_INVALID", `reading ${file}`);
      const [, why, next] = failure.lines();
      log.error("the file was not taken over, the settings from before stay", { why, next });
      return { kind: "failed", code: failure.code, why: failure.why };
    }
  };
}

/** Sections that differ and that only a new agent would obey. */
function needsNewStart(old: NodeSettings, now: NodeSettings): readonly string[] {
  const names = ["scope", "name", "namespace", "rest", "store", "watchdog", "log"] as const;
  const changed: string[] = names.filter((name) => !isSame(old[name], now[name]));
  const own = (postgres: NodeSettings["postgres"]) => ({
    ...postgres,
    parameters: {},
    pgHba: [],
    callbacks: {},
  });
  if (!isSame(own(old.postgres), own(now.postgres))) changed.push("postgresql");
  if (!isSame(old.router, now.router)) changed.push("router");
  if (!isSame(old.frontDoor, now.frontDoor)) changed.push("front_door");
  if (!isSame(old.availability, now.availability)) changed.push("availability");
  if (!isSame(archiving(old), archiving(now))) changed.push("backup");
  return changed;
}

/** Schedules are obeyed at once, and every job reads the file for itself; only the archive's worker does not. */
const archiving = ({ backup }: NodeSettings) =>
  backup && {
    ...backup,
    ...{ schedules: undefined, drill: undefined },
    repositories: backup.repositories.map((one) => ({ ...one, retention: undefined })),
  };

/** A secret prints as stars, so a changed password alone is not seen. */
const isSame = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
