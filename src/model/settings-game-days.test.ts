// Is a game day made by itself only where its owner has said so, in words that cannot be meant for another cluster?
import { describe, expect, it } from "vitest";
import { readGameDays } from "./settings-game-days.ts";
import { Section } from "./settings-reader.ts";
import { Source } from "./settings-source.ts";

const MINUTE = 60_000;
const DAY = 1_440 * MINUTE;

function read(text: string) {
  const source = new Source(`scope: demo\n${text}`, "node.yml");
  const root = new Section(source, { path: "", offset: 0 }, source.document.contents);
  const days = readGameDays(root);
  const said = [...source.problems, ...source.warnings].map(({ message }) => message);
  return { days, said };
}

describe("the section game_days", () => {
  it("is not there unless somebody writes it", () => {
    expect(read("").days).toBeUndefined();
  });

  it("reads when each kind is made, and what it may cost", () => {
    const { days, said } = read(`
game_days:
  cluster: demo
  switchover: {at: "10:00", on: tuesday}
  crash: {at: "13:30", on: wednesday, weeks: 4, window: 2h, countdown: 5min, max_pause: 20s, max_lag: 16MB}
`);
    expect(said).toEqual([]);
    expect(days).toMatchObject([
      {
        kind: "switchover",
        schedule: { periodMs: 7 * DAY, windowMs: 30 * MINUTE, text: "at 10:00 UTC on tuesday" },
        ...{ maxPauseMs: 10_000, maxLagBytes: 1024 ** 2, countdownMs: 2 * MINUTE },
      },
      {
        kind: "crash",
        schedule: {
          ...{ periodMs: 28 * DAY, windowMs: 120 * MINUTE },
          text: "at 13:30 UTC on wednesday of each 4 weeks",
        },
        ...{ maxPauseMs: 20_000, maxLagBytes: 16 * 1024 ** 2, countdownMs: 5 * MINUTE },
      },
    ]);
    const moment = new Date(days?.[1]?.schedule.anchorMs ?? 0);
    expect([moment.getUTCDay(), moment.getUTCHours(), moment.getUTCMinutes()]).toEqual([3, 13, 30]);
  });

  it.each([
    ["{switchover: {every: 7d}}", "game_days.cluster is missing: type demo"],
    ["{cluster: prod, switchover: {every: 7d}}", "game_days.cluster must be demo"],
    ["{cluster: demo}", "game_days says of none when"],
    ["{cluster: demo, fire: {every: 7d}}", "game_days.fire is no kind of game day"],
    ["{cluster: demo, crash: {}}", "game_days.crash needs either every"],
    ["{cluster: demo, crash: {every: 1min}}", "game_days.crash.every must be an hour or more"],
    ["{cluster: demo, crash: {at: '10:00', weeks: 2}}", "game_days.crash.weeks needs a day"],
    ["{cluster: demo, crash: {every: 7d, weeks: 2}}", "game_days.crash.weeks goes with at"],
    ["{cluster: demo, crash: {every: 7d, window: 1s}}", "game_days.crash.window must be a time"],
    ["{cluster: demo, crash: {every: 2h, window: 90min}}", "from 60s to 3600s"],
    ["{cluster: demo, crash: {every: 7d, countdown: 1h}}", "game_days.crash.countdown must be"],
    ["{cluster: demo, crash: {every: 7d, max_pause: soon}}", "game_days.crash.max_pause must be"],
    ["{cluster: demo, crash: {every: 7d, max_lag: small}}", "game_days.crash.max_lag must be"],
    ["{cluster: demo, crash: {every: 7d, maxpause: 5s}}", "did you mean max_pause?"],
  ])("refuses %s", (written, words) => {
    expect(read(`game_days: ${written}`).said).toContainEqual(expect.stringContaining(words));
  });
});
