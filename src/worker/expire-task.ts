// Expiry as a task: which repositories, and what a person has agreed to.
import { giveUpDead } from "../backup/begun-here.ts";
import { expire } from "../backup/expire.ts";
import { backupOf } from "../backup/named.ts";
import { ownSignerOf } from "../backup/signing.ts";
import { isBackupId } from "../model/backup-record.ts";
import { AppError } from "../model/error.ts";
import type { RepositoryExpiry } from "../model/wire/expiry.ts";
import { begunDir } from "../model/worker.ts";
import { openRepositories } from "./repositories.ts";
import type { Task } from "./task.ts";

/** What workers of this host began that are surely dead: it holds WAL back for a day otherwise. */
export const sweepBackups: Task = async (context) => {
  const { opened } = await openRepositories(context, undefined);
  const open = (name: string) => opened.find(({ repo }) => repo.name === name)?.repo;
  const dir = begunDir(context.settings.postgres.stateDir);
  return { items: await giveUpDead(dir, open, context.signal) };
};

/** Each repository by itself: what one refuses is no reason for the others to grow. */
export const expireBackups: Task = async (context, input) => {
  const { identity, opened } = await openRepositories(context, input["repo"]);
  const { signers } = backupOf(context.settings).drill;
  const ownSigner = ownSignerOf(context.settings);
  const isPreview = input["isPreview"] !== false;
  const agreed = agreedIn(input["agreed"]);
  const items: RepositoryExpiry[] = [];
  for (const { repo, settings } of opened) {
    const onStep = (step: string): void => context.progress({ step });
    const { retention } = settings;
    const { signal } = context;
    items.push(
      await expire({
        ...{ repo, identity, signers, ownSigner, retention, isPreview, agreed, onStep, signal },
      }),
    );
  }
  return { items };
};

function agreedIn(value: unknown): ReadonlySet<string> | undefined {
  if (value === undefined) return undefined;
  if (Array.isArray(value) && value.every(isBackupId)) return new Set(value);
  throw new AppError("NOT_POSSIBLE", "expiring backups", "agreed must be a list of backups");
}
