// What did a drill prove? One restore that was really done: what was restored, what was checked, what was not, how long it
// took. As it is signed, it is kept: nothing in it is computed later.
import { isBackupId } from "./backup-record.ts";
import { isObject } from "./wire/json.ts";

export type DrillOutcome = "passed" | "failed";

/** What was not looked at is said to be so, with the reason. It is never a pass. */
export interface DrillCheck {
  readonly name: string;
  readonly outcome: DrillOutcome | "not checked";
  /** What was seen, or why it was not looked at. */
  readonly why: string;
}

export interface DrillPhase {
  readonly name: "restore" | "recover" | "check" | "stop";
  readonly tookMs: number;
}

/** A committed transaction of the cluster's WAL: whoever has it has everything that was committed before it. */
export interface LastCommit {
  readonly xid: string;
  /** By the clock of the primary that committed it. */
  readonly atMs: number;
}

export interface DrillProof {
  readonly format: 1;
  readonly kind: "drill";
  readonly id: string;
  readonly outcome: DrillOutcome;
  /** Why it failed. */
  readonly why?: string;
  readonly scope: string;
  readonly systemId: string;
  readonly repo: string;
  /** The member that restored. */
  readonly ranOn: string;
  /** Versions of Understudy and of PostgreSQL's data. */
  readonly software: string;
  readonly postgres: string;
  readonly begunAt: string;
  readonly begunAtMs: number;
  readonly endedAtMs: number;
  readonly backup: {
    readonly id: string;
    readonly finishedAtMs: number;
    readonly timeline: number;
    readonly stopLsn: string;
    readonly dataBytes: number;
    /** Every object that was read, the manifest last, as they lie in the repository. */
    readonly objects: readonly {
      readonly file: string;
      readonly storedBytes: number;
      readonly sha256: string;
    }[];
  };
  readonly target: string;
  readonly walSegments: number;
  /** Where recovery ended; absent when it did not. */
  readonly recovered?: {
    readonly lsn: string;
    readonly timeline: number;
    readonly lastCommit?: LastCommit;
  };
  /** What the cluster had written when the drill began, as the member that drilled saw it; absent when its server was silent. */
  readonly cluster?: { readonly position: string; readonly atMs: number };
  /** From nothing to a server that takes writes: restore and recovery. Absent when it did not come so far. */
  readonly rtoMs?: number;
  /** What a loss of everything but the repository would have cost then; only where the target was all that is there. */
  readonly rpo?: {
    readonly bytes: number;
    /** At most: back to the last commit that is there. Absent when none was found in the last WAL. */
    readonly ms?: number;
  };
  readonly phases: readonly DrillPhase[];
  readonly checks: readonly DrillCheck[];
  /** Which key has signed it: half of the SHA-256 of the public key, in hex. */
  readonly signer: string;
}

/** Every field, two spaces deep: a person reads it when nothing else is left. */
export const printProof = (proof: DrillProof): string => `${JSON.stringify(proof, undefined, 2)}\n`;

/** Undefined when it is no proof of a drill, or of a format that is newer than we are. */
export function parseProof(text: string): DrillProof | undefined {
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isObject(read) || read["format"] !== 1 || read["kind"] !== "drill") return undefined;
  const { id, outcome, signer, begunAtMs, endedAtMs, backup, phases, checks } = read;
  const isOne =
    isBackupId(id) &&
    (outcome === "passed" || outcome === "failed") &&
    typeof signer === "string" &&
    Number.isSafeInteger(begunAtMs) &&
    Number.isSafeInteger(endedAtMs) &&
    isObject(backup) &&
    isBackupId(backup["id"]) &&
    Array.isArray(phases) &&
    Array.isArray(checks);
  return isOne ? (read as unknown as DrillProof) : undefined;
}

/** What the name of a proof says, so that a list need not be read to be short. */
export interface ProofName {
  readonly atMs: number;
  readonly outcome: DrillOutcome;
  readonly id: string;
}

const NAME = /^proofs\/(\d+)-drill-(passed|failed)-([0-9A-Za-z-]+)\.json$/;

export const nameOfProof = ({ begunAtMs, outcome, id }: DrillProof): string =>
  `${begunAtMs}-drill-${outcome}-${id}`;

/** Undefined when another object lies at this key. */
export function proofNameIn(key: string): ProofName | undefined {
  const [, at, outcome, id] = NAME.exec(key) ?? [];
  if ((outcome !== "passed" && outcome !== "failed") || !isBackupId(id)) return undefined;
  return { atMs: Number(at), outcome, id };
}

/** Whose word a good signature is. */
export type Trust = "this member" | "named in the file" | "kept in the repository";

export type Signature =
  | { readonly kind: "good"; readonly trust: Trust }
  | { readonly kind: "bad"; readonly why: string };

/** A proof as it was read back. */
export interface ReadProof {
  readonly key: string;
  readonly name: ProofName;
  readonly signature: Signature;
  /** Only with a good signature. */
  readonly proof?: DrillProof;
}

/** As `drill-list` answers. */
export interface DrillList {
  readonly repo: string;
  /** Newest first. */
  readonly items: readonly ReadProof[];
}
