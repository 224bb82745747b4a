import { describe, expect, it } from "vitest";
import { heldAt, isPausedAt, NO_PAUSE_NOTE, pauseInWords } from "./pause.ts";
import { printPauseNote, readPauseNote, resumed, withoutOldNote } from "./wire/config-pause.ts";

const until = (untilMs: number | undefined, paused = true) => ({
  paused,
  pauseNote: { ...NO_PAUSE_NOTE, untilMs },
});

describe("a pause", () => {
  it("holds until its end, and without one for ever", () => {
    expect(isPausedAt(until(1000), 999)).toBe(true);
    expect(isPausedAt(until(1000), 1000)).toBe(false);
    expect(isPausedAt(until(undefined), 1e15)).toBe(true);
    expect(isPausedAt(until(undefined, false), 0)).toBe(false);
  });

  it("that is over is none", () => {
    expect(heldAt(until(1000), 1000).paused).toBe(false);
    const still = until(1000);
    expect(heldAt(still, 0)).toBe(still);
  });

  it("says what is known of it", () => {
    expect(pauseInWords(NO_PAUSE_NOTE, 0)).toBe(
      "the cluster is paused, until it is resumed: no failover",
    );
    const note = { by: "a@b", reason: "work", sinceMs: 0, untilMs: 90_000 };
    expect(pauseInWords(note, 30_000)).toBe(
      "the cluster is paused by a@b for 30 s, it ends by itself in 1m 0s: no failover (work)",
    );
  });
});

describe("the note of a pause", () => {
  it("comes back as it was written", () => {
    const note = { by: "a@b", reason: "work", sinceMs: 0, untilMs: 90_000 };
    expect(readPauseNote(printPauseNote(note))).toEqual(note);
    expect(readPauseNote({})).toEqual(NO_PAUSE_NOTE);
  });

  it.each([
    ["x", "must be a map"],
    [{ owner: "x" }, "has no field owner"],
    [{ by: 7 }, "by must be a text"],
    [{ reason: "x".repeat(201) }, "reason must be a text"],
    [{ until: "2026-11-30T04:00" }, "until must be a time with its zone"],
    [{ since: "yesterday" }, "since must be a time with its zone"],
  ])("is refused by name (%#)", (written, words) => {
    expect(readPauseNote(written)).toContain(words);
  });

  it("does not outlive its pause", () => {
    expect(withoutOldNote({ pause: true })).toEqual({ pause: true, pause_note: null });
    expect(withoutOldNote({ pause: true, pause_note: {} })).toEqual({
      pause: true,
      pause_note: {},
    });
    expect(withoutOldNote({ ttl: 20 })).toEqual({ ttl: 20 });
    expect(resumed({ pause: true, pause_note: {}, ttl: 20 })).toEqual({ ttl: 20 });
  });
});
