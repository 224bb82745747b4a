// Which words do Patroni and its readers use for what a member is and does?
import type { MemberRole, MemberState } from "../member.ts";

const ROLES: Readonly<Record<MemberRole, string>> = {
  primary: "primary",
  standby: "replica",
  "standby leader": "standby_leader",
  demoted: "demoted",
  uninitialized: "uninitialized",
};

/** Old and foreign words for the same roles. */
const ROLE_OF_WORD: Readonly<Record<string, MemberRole>> = {
  primary: "primary",
  master: "primary",
  promoted: "primary",
  replica: "standby",
  standby_leader: "standby leader",
  demoted: "demoted",
  uninitialized: "uninitialized",
};

/** Our states in the words of the field. */
const STATES: Readonly<Record<MemberState, string>> = {
  initializing: "initializing new cluster",
  "bootstrap failed": "initdb failed",
  cloning: "creating replica",
  starting: "starting",
  running: "running",
  restarting: "restarting",
  stopping: "stopping",
  stopped: "stopped",
  "start failed": "start failed",
  crashed: "crashed",
  unknown: "unknown",
};

/** Every state text that a member may publish, with our state and its number in Patroni's metric. */
const STATE_OF_TEXT: Readonly<Record<string, readonly [state: MemberState, number: number]>> = {
  "initializing new cluster": ["initializing", 0],
  "initdb failed": ["bootstrap failed", 1],
  "running custom bootstrap script": ["initializing", 2],
  "custom bootstrap failed": ["bootstrap failed", 3],
  "creating replica": ["cloning", 4],
  running: ["running", 5],
  starting: ["starting", 6],
  "starting after custom bootstrap": ["starting", 7],
  "start failed": ["start failed", 8],
  restarting: ["restarting", 9],
  "restart failed": ["start failed", 10],
  stopping: ["stopping", 11],
  stopped: ["stopped", 12],
  "stop failed": ["stopping", 13],
  crashed: ["crashed", 14],
};

export const printRole = (role: MemberRole): string => ROLES[role];

/** A word we don't know is a member that has not said what it is. */
export const parseRole = (word: unknown): MemberRole =>
  (typeof word === "string" && Object.hasOwn(ROLE_OF_WORD, word)
    ? ROLE_OF_WORD[word]
    : undefined) ?? "uninitialized";

export const printState = (state: MemberState): string => STATES[state];

const stateRow = (text: unknown) =>
  typeof text === "string" && Object.hasOwn(STATE_OF_TEXT, text) ? STATE_OF_TEXT[text] : undefined;

export const parseState = (text: unknown): MemberState => stateRow(text)?.[0] ?? "unknown";

/** The number of a state in Patroni's metric `patroni_postgres_state`; -1 for unknown. */
export const stateNumber = (state: MemberState): number => stateRow(STATES[state])?.[1] ?? -1;
