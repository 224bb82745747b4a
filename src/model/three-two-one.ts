// Are there three copies of the data, on two kinds of storage, one of them off site?
import {
  type Counts,
  type JudgedCopy,
  judgeRepository,
  type Moment,
  type RepositoryEvidence,
  type Whereabouts,
} from "./copy-evidence.ts";

export type Verdict321 = "pass" | "fail" | "unknown";

export interface Digit {
  readonly wants: 3 | 2 | 1;
  readonly of: "copies" | "kinds of storage" | "off site";
  readonly verdict: Verdict321;
  /** How many there surely are; of kinds at most the two that are wanted. */
  readonly found: number;
  readonly why: string;
  /** What to do, when it does not pass. */
  readonly next?: string;
}

export interface ThreeTwoOne {
  readonly verdict: Verdict321;
  readonly digits: readonly Digit[];
  readonly copies: readonly JudgedCopy[];
  /** Repositories that count although nobody has read them back lately: their bytes were compared only while they were put. */
  readonly unproven: readonly string[];
}

/** The cluster's own data: one copy, however many members hold it, since a mistake reaches all of them. */
export interface LiveEvidence extends Omit<Whereabouts, "place"> {
  readonly counts: "yes" | "unknown";
  readonly why: string;
}

export interface Evidence321 extends Moment {
  readonly live: LiveEvidence;
  readonly repositories: readonly RepositoryEvidence[];
}

const LIVE = "live data";
/** A data directory is what the word says that a directory lies on, unless its owner says another one. */
const LIVE_STORAGE = "directory";

export function judge321(evidence: Evidence321): ThreeTwoOne {
  const copies = withoutTwins([
    liveCopy(evidence.live),
    ...evidence.repositories.map((one) => judgeRepository(one, evidence)),
  ]);
  const digits = [copiesDigit(copies), kindsDigit(copies), offSiteDigit(copies)];
  const unproven = copies
    .filter(({ counts, isProven }) => counts === "yes" && !isProven)
    .map(({ name }) => name);
  return { verdict: worstOf(digits), digits, copies, unproven };
}

function worstOf(digits: readonly Digit[]): Verdict321 {
  const all = digits.map(({ verdict }) => verdict);
  if (all.includes("fail")) return "fail";
  return all.includes("unknown") ? "unknown" : "pass";
}

function liveCopy({ why, counts, ...where }: LiveEvidence): JudgedCopy {
  const next = counts === "yes" ? {} : { next: "understudy status" };
  const about = { name: LIVE, storage: LIVE_STORAGE, offSite: false };
  return { ...about, ...where, counts, why, ...next, isProven: counts === "yes", remarks: [] };
}

/** One directory or folder under two names is one copy. */
function withoutTwins(copies: readonly JudgedCopy[]): readonly JudgedCopy[] {
  return copies.map((copy, index) => {
    const { place } = copy;
    const twin = copies.slice(0, index).find((one) => one.place === place);
    if (place === undefined || twin === undefined) return copy;
    const why = `is the same place as ${twin.name}`;
    return { ...copy, counts: "no", why, next: `give ${copy.name} a place of its own` };
  });
}

/** Certain from `wanted` sure ones on, impossible when even the unknown ones do not make up for it. */
function verdictOf(wanted: number, sure: number, possible: number): Verdict321 {
  if (sure >= wanted) return "pass";
  return possible < wanted ? "fail" : "unknown";
}

const are = (copies: readonly JudgedCopy[], ...counts: readonly Counts[]): readonly JudgedCopy[] =>
  copies.filter((copy) => counts.includes(copy.counts));

const namesOf = (copies: readonly JudgedCopy[]): string =>
  copies.length === 0 ? "none" : copies.map(({ name }) => name).join(", ");

function copiesDigit(copies: readonly JudgedCopy[]): Digit {
  const sure = are(copies, "yes");
  const open = are(copies, "unknown");
  const verdict = verdictOf(3, sure.length, sure.length + open.length);
  const digit = { wants: 3, of: "copies", verdict, found: sure.length } as const;
  if (verdict === "pass") return { ...digit, why: namesOf(sure) };
  const why =
    open.length === 0
      ? `only ${sure.length}: ${namesOf(sure)}`
      : `${sure.length} are sure (${namesOf(sure)}), unknown: ${namesOf(open)}`;
  return { ...digit, why, next: nextIn(copies, "name another repository in every node's file") };
}

/** What makes one of them count: of the unknown first, since they may count already. */
function nextIn(copies: readonly JudgedCopy[], otherwise: string): string {
  const lacking = [...are(copies, "unknown"), ...are(copies, "no")];
  return lacking.find(({ next }) => next !== undefined)?.next ?? otherwise;
}

/** Two kinds are two copies that differ in the word of their owner and in what was seen of their place. */
function differ(a: JudgedCopy, b: JudgedCopy): Counts {
  if (a.storage === b.storage) return "no";
  if (a.medium === undefined || b.medium === undefined) return "unknown";
  return a.medium === b.medium ? "no" : "yes";
}

function kindsDigit(copies: readonly JudgedCopy[]): Digit {
  const sure = are(copies, "yes");
  const pair = pairIn(sure, ["yes"]);
  const perhaps = pairIn(are(copies, "yes", "unknown"), ["yes", "unknown"]);
  const found = Math.min(1, sure.length) + (pair === undefined ? 0 : 1);
  const verdict = verdictOf(2, found, perhaps === undefined ? 1 : 2);
  const digit = { wants: 2, of: "kinds of storage", verdict, found } as const;
  if (pair !== undefined) return { ...digit, why: pair.map(onWhat).join(", ") };
  if (perhaps !== undefined) {
    const why = `${perhaps.map(onWhat).join(" and ")} would be two, and not both are known`;
    return { ...digit, why, next: nextIn(perhaps, "ask again: understudy backup 3-2-1") };
  }
  return { ...digit, why: whyOneKind(sure), next: nextForKinds(copies) };
}

const onWhat = ({ name, storage }: JudgedCopy): string => `${name} (${storage})`;

function pairIn(
  copies: readonly JudgedCopy[],
  answers: readonly Counts[],
): readonly [JudgedCopy, JudgedCopy] | undefined {
  for (const [index, a] of copies.entries()) {
    const b = copies.slice(index + 1).find((other) => answers.includes(differ(a, other)));
    if (b !== undefined) return [a, b];
  }
  return undefined;
}

function whyOneKind(sure: readonly JudgedCopy[]): string {
  const words = new Set(sure.map(({ storage }) => storage));
  if (words.size > 1) return `${namesOf(sure)} lie on one file system or with one provider`;
  return sure.length === 0 ? "no copy counts" : `${namesOf(sure)}: all on ${[...words].join()}`;
}

/** A copy that would differ and does not count yet is nearer than a new repository. */
function nextForKinds(copies: readonly JudgedCopy[]): string {
  const sure = are(copies, "yes");
  const near = are(copies, "no").find((one) => sure.some((other) => differ(one, other) === "yes"));
  return near?.next ?? "name a repository on another kind of storage, an object store say";
}

function offSiteDigit(copies: readonly JudgedCopy[]): Digit {
  const far = copies.filter(({ offSite }) => offSite);
  const apart = far.filter((copy) => neighbourOf(copy, copies) === undefined);
  const sure = are(apart, "yes");
  const verdict = verdictOf(1, sure.length, sure.length + are(apart, "unknown").length);
  const digit = { wants: 1, of: "off site", verdict, found: sure.length } as const;
  if (verdict === "pass") return { ...digit, why: namesOf(sure) };
  const [first] = [...are(apart, "unknown"), ...apart, ...far];
  if (first === undefined) {
    const next = "name a repository at another site, with off_site: true";
    return { ...digit, why: "no repository is said to be at another site", next };
  }
  const neighbour = neighbourOf(first, copies);
  if (neighbour === undefined) {
    const next = first.next ?? `understudy backup repo list ${first.name}`;
    return { ...digit, why: `${first.name} ${first.why}`, next };
  }
  const why = `${first.name} is said to be off site, but lies where ${neighbour.name} does`;
  return { ...digit, why, next: `move ${first.name} to another site` };
}

/** Who lies in the same file system or bucket and is said to be here: then the other one is here too. */
const neighbourOf = (
  { volume }: JudgedCopy,
  copies: readonly JudgedCopy[],
): JudgedCopy | undefined =>
  copies.find((one) => !one.offSite && one.volume !== undefined && one.volume === volume);
