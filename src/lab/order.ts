// Which fault shall hit whom, and how?
import type { Ms } from "../model/time.ts";
import { LINKS, type Link } from "./namespaces.ts";
import type { LabRecord } from "./record.ts";
import type { Fate, Party, Way } from "./walls.ts";

export interface FaultOptions {
  /** kill-node: the etcd member of that host dies too. */
  readonly withEtcd: boolean;
  /** kill-node: its plugs are pulled first, so that no reset leaves it and its peers see silence. */
  readonly silent: boolean;
  /** restart-agent: how long it stays away. */
  readonly awayMs: Ms;
  readonly links: readonly Link[];
  /** cut: from whom; from everybody, by pulling plugs, when neither this nor `to` names anybody. */
  readonly from: readonly Party[];
  /** cut: from this other node. */
  readonly to: string | undefined;
  readonly way: Way;
  readonly fate: Fate;
  /** lose-packets: which share of them. */
  readonly share: number;
  readonly delayMs: Ms;
  /** slow-disk: how many writes a second. */
  readonly iops: number;
  /** slow-replay: hundredths of a processor. */
  readonly cpuPercent: number;
  /** slow-link: kilobits a second. */
  readonly kbit: number;
}

export const USUAL_FAULT: FaultOptions = {
  withEtcd: false,
  silent: false,
  awayMs: 2_000,
  links: LINKS,
  from: [],
  to: undefined,
  way: "both",
  fate: "silent",
  share: 0.2,
  kbit: 1_000,
  iops: 20,
  cpuPercent: 5,
  delayMs: 50,
};

export interface Order {
  readonly lab: LabRecord;
  readonly node: string;
  readonly options: FaultOptions;
}
