import { expect, test } from "vitest";
import type { HistoryRow } from "../model/cluster.ts";
import { lsn } from "../model/lsn.ts";
import { historyScreen } from "./history-screen.ts";

const row = (timeline: number, reason: string): HistoryRow => ({
  timeline,
  lsn: lsn(0x3000000),
  reason,
  at: "2026-11-23T03:06:07.179+00:00",
  newLeader: "n2",
});

test("the history is a table, and below it stands why the latest leaders were chosen", () => {
  const rows = [
    row(1, "no recovery target specified"),
    row(2, "n2 leads from 0/3000000; n1 does not answer; n3 has 16 bytes less"),
  ];
  expect(historyScreen(rows, 80)).toBe(
    [
      "TL  ENDED AT   WHEN                     NEXT LEADER",
      " 1  0/3000000  2026-11-23 03:06:07 UTC  n2",
      " 2  0/3000000  2026-11-23 03:06:07 UTC  n2",
      "",
      "why n2 after timeline 2",
      "  n2 leads from 0/3000000",
      "  n1 does not answer",
      "  n3 has 16 bytes less",
    ].join("\n"),
  );
});

test("only the latest are told, and a cluster without a history says so", () => {
  const screen = historyScreen(
    [1, 2, 3, 4].map((n) => row(n, `reason ${n}`)),
    80,
  );
  expect(screen).not.toContain("reason 1");
  expect(screen).toContain("reason 4");
  expect(historyScreen([], 80)).toContain("the first primary still leads");
});
