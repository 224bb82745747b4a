// Which cluster does a command mean, and how are its members reached?

import { existsSync } from "node:fs";
import { loadTls, type TlsMaterial } from "../adapters/http/client.ts";
import {
  aroundHere,
  ENVIRONMENT,
  isInEnvironment,
  readNodeText,
} from "../adapters/system/node-file.ts";
import { AppError } from "../model/error.ts";
import { printFinding } from "../model/finding.ts";
import type { ScheduledGameDay } from "../model/game-day/scheduled.ts";
import type { AgentSettings, Credentials } from "../model/settings.ts";
import { printAddress } from "../model/settings-address.ts";
import { type NodeFile, parseNodeFile } from "../model/settings-file.ts";
import { type RunningLab, runningLabs } from "./running-labs.ts";

const USUAL_FILE = "/etc/understudy/understudy.yml";

/** Where the cluster was found, and everything needed to talk to its members. */
export interface Target {
  /** For people: the file or the lab that named it. */
  readonly from: string;
  readonly scope: string;
  readonly settings: AgentSettings;
  /** What the file has made by itself. */
  readonly gameDays: readonly ScheduledGameDay[];
  /** The file of the node that was named; a lab has one for each. */
  readonly configFile: string;
  readonly urls: readonly string[];
  readonly tls: TlsMaterial;
  readonly credentials: Credentials | undefined;
}

/** `-c FILE`, else UNDERSTUDY_CONFIG, else the usual file, else Patroni's variables, else the only lab that runs. */
export function findTarget(file: string | undefined): Target {
  const named = namedFile(file);
  if (named !== undefined) return fromFile(named, named);
  const labs = runningLabs();
  const [lab] = labs;
  if (labs.length === 1 && lab !== undefined) return fromLab(lab);
  const names = labs.map(({ name, members }) => `${name} (-c ${members[0]?.configFile ?? "?"})`);
  const why =
    labs.length === 0
      ? `no -c, no UNDERSTUDY_CONFIG, no ${USUAL_FILE}, and no lab is running`
      : `several labs are running: ${names.join(", ")}`;
  throw new AppError("CONFIG_NOT_FOUND", "finding the cluster", why);
}

/** The file that is meant when a file is needed; undefined when only a lab is left. */
export function namedFile(file: string | undefined): string | undefined {
  const named = file ?? process.env["UNDERSTUDY_CONFIG"];
  if (named !== undefined && named !== "") return named;
  if (existsSync(USUAL_FILE)) return USUAL_FILE;
  return isInEnvironment() ? ENVIRONMENT : undefined;
}

export function readNodeFile(path: string): NodeFile {
  return parseNodeFile(readNodeText(path), path, aroundHere(path));
}

function fromFile(path: string, from: string): Target {
  const file = readNodeFile(path);
  if (file.kind === "refused") {
    const [first] = file.problems;
    const more = file.problems.length > 1 ? ` and ${file.problems.length - 1} more` : "";
    const why = first === undefined ? "" : `${printFinding(first)}${more}`;
    throw new AppError("CONFIG_INVALID", `reading ${path}`, why);
  }
  const { settings, ctl } = file;
  const { rest } = settings;
  const tls = loadTls(ctl.tls ?? rest.tls);
  const scheme = rest.tls?.certfile === undefined ? "http" : "https";
  return {
    from,
    scope: settings.scope,
    settings,
    gameDays: file.kind === "settings" ? (file.settings.gameDays ?? []) : [],
    configFile: path,
    urls: [`${scheme}://${printAddress(rest.connectAddress)}`],
    tls: ctl.insecure ? { ...tls, rejectUnauthorized: false } : tls,
    credentials: ctl.authentication ?? rest.authentication,
  };
}

function fromLab(lab: RunningLab): Target {
  const [first] = lab.members;
  if (first === undefined) {
    throw new AppError("CONFIG_NOT_FOUND", "finding the cluster", `${lab.file} names no member`);
  }
  const target = fromFile(first.configFile, `the lab ${lab.name}`);
  return { ...target, urls: lab.members.map(({ apiUrl }) => apiUrl.replace(/\/patroni$/, "")) };
}
