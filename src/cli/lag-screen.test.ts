import { stripVTControlCharacters } from "node:util";
import { expect, it } from "vitest";
import { activity, lagCase, MB } from "../../test/support/lag-samples.ts";
import type { LagReport } from "../model/lag/report.ts";
import { CliFailure, EXIT } from "./exit.ts";
import { lagRows, lagWarnings } from "./lag-cases.ts";
import { historyLines, lagScreen } from "./lag-screen.ts";
import { chosenRows, spanOf } from "./lag-wish.ts";

const held = lagCase(
  { at: "replay", bytes: 1_200 * MB, ms: 38_000 },
  {
    own: {
      replay: activity({ "IPC/RecoveryConflictSnapshot": 1 }),
      queries: [{ pid: 77, user: "report", application: "bi", ageMs: 90_000, blocks: false }],
    },
  },
);

const says = (lag: LagReport) => ({ answers: true, ms: 1, node: { lag } }) as never;
const report = (change: Partial<LagReport>): LagReport => ({
  version: 150_018,
  isStandby: false,
  end: "0/5000000",
  walPerSecond: 2 * MB,
  stillMs: 0,
  ageMs: 400,
  samples: 5,
  steadyMs: 20_000,
  standbys: [],
  ...change,
});
const n1 = { name: "n1", leads: true, host: "10.0.0.1", port: 5432 } as const;
const n2 = { name: "n2", leads: false, host: "10.0.0.2", port: 5432 } as const;
const members = [
  { ...n1, agent: says(report({ standbys: [held.sent!] })) },
  { ...n2, agent: says(report({ isStandby: true, own: held.own! })) },
];

it("puts both sides of a standby together, and knows from whom it gets its WAL", () => {
  const [row] = lagRows(members);
  expect(row).toMatchObject({ name: "n2", from: "n1", isMember: true });
  expect(row?.diagnosis.cause).toBe("query");
});

it("shows readers that are no members too", () => {
  const stranger = { ...held.sent!, name: "archive" };
  const rows = lagRows([{ ...members[0]!, agent: says(report({ standbys: [stranger] })) }]);
  expect(rows).toMatchObject([{ name: "archive", from: "n1", isMember: false }]);
});

it("warns of trouble, and leaves a silent agent to those who say that it is silent", () => {
  expect(lagWarnings(members)).toEqual(["a query on n2 holds replay back: pid 77 of report"]);
  const silent = { ...n2, agent: { answers: false, why: "" } } as const;
  expect(lagWarnings([silent])).toEqual([]);
});

it("warns of a stream without a walsender once the server that it comes from has looked since", () => {
  const { own } = lagCase();
  const streams = { ...n2, agent: says(report({ isStandby: true, own: own! })) };
  const from = (change: Partial<LagReport>) => [{ ...n1, agent: says(report(change)) }, streams];
  expect(lagWarnings(from({}))).toEqual([expect.stringContaining("shows no walsender")]);
  expect(lagWarnings(from({ ageMs: 25_000 }))).toEqual([]);
  const [elsewhere] = lagRows([{ ...n1, host: "10.0.0.9", agent: says(report({})) }, streams]);
  expect(elsewhere?.disagreements).toEqual([]);
});

it("fits 80 columns with all four stages, the cause, its evidence and what to do", () => {
  const leader = { name: "n1", report: report({}) };
  const text = stripVTControlCharacters(lagScreen({ leader, rows: lagRows(members) }, 80));
  expect(Math.max(...text.split("\n").map(({ length }) => length))).toBeLessThanOrEqual(80);
  expect(text).toContain("n1 leads at 0/5000000, 2.0 MB of WAL a second");
  expect(text).toContain("1.2 GB 38 s");
  expect(text).toContain("pid 77 of report (bi) has been at it for 1m 30s");
  expect(text).toContain("> end it: SELECT pg_cancel_backend(77) on the standby");
});

it("says so when nobody leads, or there is no standby", () => {
  const text = lagScreen({ leader: undefined, rows: [] }, 80);
  expect(text).toContain("nobody leads");
  expect(text).toContain("there is no standby");
});

it.each(["soon", "0h", "9d", "1", "-1h"])("refuses --history %s in three lines", (written) => {
  const refused = failureIn(() => spanOf(written));
  expect(refused.exit).toBe(EXIT.usage);
  expect(refused.lines).toEqual([
    `--history ${written} is not possible`,
    "it must be a number and s, m, h or d, at most 7d",
    "try 1h",
  ]);
});

it("takes spans of seconds to days, and offers the nearest name for a wrong one", () => {
  expect([spanOf("90s"), spanOf("1h"), spanOf("7d")]).toEqual([90_000, 3_600_000, 604_800_000]);
  expect(chosenRows(lagRows(members), "n2", "shop")).toHaveLength(1);
  const refused = failureIn(() => chosenRows(lagRows(members), "m2", "shop"));
  expect(refused.exit).toBe(EXIT.noSuchThing);
  expect(refused.lines[0]).toMatch(/^shop has no standby m2.*n2/);
});

function failureIn(run: () => unknown): CliFailure {
  try {
    run();
  } catch (error) {
    if (error instanceof CliFailure) return error;
  }
  throw new Error("it was not refused");
}

it("draws the worst of each part of the time, and nothing where nothing was noted", () => {
  const moment = (at: number, behindMs: number) => ({
    at,
    name: "n2",
    gaps: [0, 0, 0, behindMs],
    behindBytes: behindMs * 1024,
    behindMs,
  });
  const [line] = historyLines([moment(0, 0), moment(30_500, 20_000), moment(59_999, 10_000)], {
    fromMs: 0,
    toMs: 60_000,
  });
  expect(line?.slice(4, 64)).toBe(`▁${" ".repeat(29)}█${" ".repeat(28)}▅`);
  expect(line).toContain("at most 20 s, 20 MB");
});
