// What do the files in and beside the data directory say? Read again only when one of them has changed.
import { join } from "node:path";
import type { ControlData, LocalServer, PendingRestart } from "../../model/server.ts";
import type { SyncNames } from "../../model/sync.ts";
import type { ServerPlan } from "../../ports/postgres.ts";
import { Reading } from "../system/reading.ts";
import { commandLineDifferences, optsPath } from "./command-line.ts";
import { areStale, judgedPaths, readSyncNames } from "./config.ts";
import { type ControlFile, controlPath, isCleanlyDown, readControlFile } from "./control-data.ts";
import { directoryState, diskSpace, signalPath } from "./directory.ts";
import { exists } from "./files.ts";
import { hasHistory } from "./history.ts";
import { lineageOf, readLineage, recordPath } from "./lineage.ts";
import { markerPath } from "./marker.ts";
import { holdBack } from "./parameters.ts";
import type { Place } from "./place.ts";
import { renderFiles, settle } from "./settle.ts";
import { newestTimeline, readCheckpointEnd } from "./wal-files.ts";

interface Files {
  readonly directory: LocalServer["directory"];
  readonly controlFile: ControlFile | undefined;
  readonly control: ControlData | undefined;
  readonly lineage: LocalServer["lineage"];
  readonly standbySignal: boolean;
  readonly settingsStale: boolean;
  readonly syncNames: SyncNames;
  readonly commandLine: readonly PendingRestart[];
  /** The newest timeline of which a standby has WAL. */
  readonly walTimeline: number;
}

const NO_FILES: Files = {
  directory: "missing",
  controlFile: undefined,
  control: undefined,
  lineage: [],
  standbySignal: false,
  settingsStale: false,
  syncNames: { kind: "unmanaged" },
  commandLine: [],
  walTimeline: 0,
};

/** What a look at the disk shows. */
export interface DataSeen extends Files {
  readonly diskFreeBytes: number | undefined;
  readonly diskBytes: number | undefined;
  readonly ownSlots: readonly string[];
}

export const NOTHING: DataSeen = {
  ...NO_FILES,
  diskFreeBytes: undefined,
  diskBytes: undefined,
  ownSlots: [],
};

/** A server that is down is read anew at every look: then it decides most. */
const isSteady = ({ control }: Files): boolean =>
  control !== undefined && !isCleanlyDown(control.state);

export class DataLook {
  readonly #place: Place;
  readonly #reading: Reading<Files>;

  constructor(place: Place) {
    this.#place = place;
    const wallMs = () => place.clock.wallMs();
    this.#reading = new Reading({ ...pathsOf(place), wallMs, isKept: isSteady });
  }

  /** Throws what the file system says, except that something is not there. */
  async look(plan: ServerPlan): Promise<DataSeen> {
    const { dataDir, ownSlots } = this.#place;
    const space = await diskSpace(dataDir);
    // What a disk holds in all is one of the facts that the settings are made of.
    const files = await this.#reading.of([plan, space?.total], () => readFiles(this.#place, plan));
    const { controlFile } = files;
    return {
      ...files,
      diskFreeBytes: space?.free,
      diskBytes: space?.total,
      ownSlots: controlFile === undefined ? [] : await ownSlots.names(controlFile.systemId),
    };
  }
}

/** `data` stands for its signal files, `pg_wal` for segments and histories. */
const pathsOf = ({ dataDir, stateDir }: Place) => ({
  folders: [dataDir, join(dataDir, "pg_wal"), join(dataDir, "global"), stateDir],
  files: [
    controlPath(dataDir),
    optsPath(dataDir),
    ...judgedPaths(dataDir),
    recordPath(stateDir),
    markerPath(stateDir),
  ],
});

async function readFiles(place: Place, plan: ServerPlan): Promise<Files> {
  const { dataDir } = place;
  const directory = await directoryState(place);
  if (directory !== "data") return { ...NO_FILES, directory };
  const controlFile = await readControlFile(dataDir);
  if (controlFile === undefined) return { ...NO_FILES, directory: "foreign" };
  const record = await readLineage(place, controlFile);
  const pending = record.pending?.timeline;
  const timeline =
    pending !== undefined && (await hasHistory(dataDir, pending)) ? pending : controlFile.timeline;
  const standbySignal = await exists(signalPath(dataDir));
  return {
    directory,
    controlFile,
    control: await controlOf(dataDir, controlFile),
    lineage: lineageOf(record, timeline),
    standbySignal,
    walTimeline: standbySignal ? await newestTimeline(dataDir) : 0,
    syncNames: await readSyncNames(dataDir),
    ...(await judgeSettings(place, plan, controlFile)),
  };
}

async function controlOf(dataDir: string, file: ControlFile): Promise<ControlData> {
  return {
    systemId: file.systemId,
    catalogVersion: file.catalogVersion,
    state: file.state,
    timeline: file.timeline,
    checkpointLsn: file.checkpointLsn,
    checkpointEnd: isCleanlyDown(file.state) ? await readCheckpointEnd(dataDir, file) : undefined,
  };
}

/** A plan that is refused counts as stale: applying it will say why. */
async function judgeSettings(
  place: Place,
  plan: ServerPlan,
  { limits }: ControlFile,
): Promise<Pick<Files, "settingsStale" | "commandLine">> {
  try {
    const wanted = await settle(place, plan);
    // What a standby has been held back to is as it should be, until its primary has less.
    const isStandby = await exists(signalPath(place.dataDir));
    const settled = isStandby ? holdBack(wanted, limits) : wanted;
    return {
      settingsStale: await areStale(place.dataDir, renderFiles(place, plan, settled)),
      commandLine: await commandLineDifferences(place.dataDir, settled),
    };
  } catch {
    return { settingsStale: true, commandLine: [] };
  }
}
