// Does the flight recorder keep what changed, and only that?
import { describe, expect, it } from "vitest";
import type { Reason } from "../model/reason.ts";
import { instant } from "../model/time.ts";
import { createJournal } from "./journal.ts";

const entry = (because: Reason, step?: string, world = 0) => ({
  at: instant(1),
  wallMs: 1,
  because,
  detail: undefined,
  step,
  world,
});

describe("the journal", () => {
  it("keeps an entry when the reason changes", () => {
    const journal = createJournal<number>();
    const kept = ["following", "following", "paused", "following"] as const;
    expect(kept.map((because) => journal.record(entry(because)))).toEqual([
      true,
      false,
      true,
      true,
    ]);
    expect(journal.entries().map(({ because }) => because)).toEqual([
      "following",
      "paused",
      "following",
    ]);
  });

  it("keeps every step, also the same one again", () => {
    const journal = createJournal<number>();
    journal.record(entry("crash_restarting", "start-primary"));
    expect(journal.record(entry("crash_restarting", "start-primary"))).toBe(true);
    expect(journal.record(entry("crash_restarting"))).toBe(true);
  });

  it("keeps a step that fails on as it did before only once more", () => {
    const journal = createJournal<number>();
    const tried = (failedBy: string | undefined) =>
      journal.record({ ...entry("race_acquiring", "acquire"), failedBy });
    const failures = [undefined, "no space", "no space", "no space", "late", "late", undefined];
    expect(failures.map(tried)).toEqual([true, true, false, false, true, false, true]);
  });

  it("keeps the last thousand", () => {
    const journal = createJournal<number>();
    for (let world = 0; world < 1_500; world += 1) journal.record(entry("paused", "kill", world));
    expect(journal.entries()).toHaveLength(1_000);
    expect(journal.entries()[0]?.world).toBe(500);
  });
});
