// The data of this very node, made from a backup: its agent asks for it, and says where.
import { openShelf } from "../backup/open-shelf.ts";
import { restoreStandby, type StandbyCopy } from "../backup/standby-copy.ts";
import { type MadeCluster, restoreCluster } from "../drill/new-cluster.ts";
import { AppError } from "../model/error.ts";
import type { BackupSettings } from "../model/repository.ts";
import type { BackupCopy, BackupOrigin, CloneMethod, NodeSettings } from "../model/settings.ts";
import { USUAL_DRILL } from "../model/settings-drill.ts";
import { parseLineage } from "../model/wire/dcs.ts";
import type { Task, TaskContext } from "./task.ts";

const ATTEMPT = "making data from a backup";

export const makeStandby: Task = async (context, input): Promise<StandbyCopy> => {
  const lineage = parseLineage(textIn(input, "lineage"));
  if (lineage === undefined) throw new AppError("NOT_POSSIBLE", ATTEMPT, "whose history?");
  const { settings } = context;
  const shelf = await openShelf({ ...context, repo: copyRepository(settings) });
  return restoreStandby(shelf, { targetDir: textIn(input, "targetDir"), lineage }, work(context));
};

export const makeCluster: Task = async (context, input): Promise<MadeCluster> => {
  const { method } = context.settings.bootstrap;
  if (method === undefined || "command" in method)
    throw new AppError("NOT_POSSIBLE", ATTEMPT, "bootstrap.method is not backup");
  // A new cluster knows of none: neither its data nor the store says whose backups are meant.
  const shelf = await openShelf({
    settings: asOrigin(context.settings, method),
    cluster: {},
    repo: method.repository,
    identityFile: method.identityFile,
    systemId: method.systemId,
    signal: context.signal,
  });
  const wish = { targetDir: textIn(input, "targetDir"), origin: method };
  return restoreCluster(shelf, wish, context);
};

/** Undefined: the first of the file. */
function copyRepository({ postgres }: NodeSettings): string | undefined {
  const isOurs = (method: CloneMethod): method is BackupCopy =>
    method !== "basebackup" && !("command" in method);
  return postgres.cloneMethods.find(isOurs)?.repository;
}

/** The file as the cluster that made the backups would have it. */
const asOrigin = (settings: NodeSettings, { place, scope }: BackupOrigin): NodeSettings => ({
  ...settings,
  scope: scope ?? settings.scope,
  ...(place === undefined ? {} : { backup: readingFrom(place, settings.backup) }),
});

const readingFrom = (
  place: NonNullable<BackupOrigin["place"]>,
  own: BackupSettings | undefined,
): BackupSettings => ({
  compression: "zstd",
  recipients: [],
  identityFile: undefined,
  walBudgetBytes: 0,
  drill: USUAL_DRILL,
  ...own,
  repositories: [{ name: "origin", place, storage: place.kind, offSite: false, required: true }],
});

const work = ({ progress, ...context }: TaskContext) => ({
  ...context,
  onProgress: ({ phase, doneBytes, totalBytes }: Doing): void =>
    progress({ step: phase, doneBytes, totalBytes: Math.max(doneBytes, totalBytes) }),
});

interface Doing {
  readonly phase: string;
  readonly doneBytes: number;
  readonly totalBytes: number;
}

function textIn(input: Readonly<Record<string, unknown>>, name: string): string {
  const value = input[name];
  if (typeof value === "string" && value !== "") return value;
  throw new AppError("NOT_POSSIBLE", ATTEMPT, `${name} must be a text`);
}
