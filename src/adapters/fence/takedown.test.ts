import { describe, expect, it } from "vitest";
import { instant } from "../../model/time.ts";
import type { ServerProcess } from "../system/process-list.ts";
import type { ServerLook } from "../system/server-look.ts";
import { takeDown } from "./takedown.ts";

const process = (pid: number, state = "S"): ServerProcess => ({
  pid,
  ppid: 1,
  startTime: pid,
  state,
  exe: "/postgres",
});

function server(postmaster: ServerProcess | undefined, backends: readonly ServerProcess[]) {
  const sent: string[] = [];
  const alive = new Set([...(postmaster ? [postmaster] : []), ...backends]);
  let now = 0;
  const stage = {
    sent,
    alive,
    /** What each process does when it is sent a signal. */
    obey: (_: ServerProcess, signal: string): boolean => signal === "SIGKILL",
    attached: (): number => alive.size,
  };
  const look = (): ServerLook => {
    now += 50;
    const attached = stage.attached();
    return {
      processes: [...alive],
      postmaster: [...alive].find((one) => one === postmaster),
      attached,
      isDown: alive.size === 0 && attached === 0,
    };
  };
  const run = (graceMs: number, timeoutMs = 2000) =>
    takeDown({
      dataDir: "/data",
      now: () => instant(now),
      graceMs,
      timeoutMs,
      look,
      send: (one, signal) => {
        sent.push(`${signal} ${one.pid}`);
        if (stage.obey(one, signal)) alive.delete(one);
      },
    });
  return { stage, run };
}

describe("taking a server down", () => {
  it("is content when the postmaster obeys SIGQUIT", async () => {
    const { stage, run } = server(process(1), [process(2)]);
    stage.obey = () => {
      stage.alive.clear();
      return true;
    };
    expect(await run(300)).toEqual({ down: true, remaining: 0 });
    expect(stage.sent).toEqual(["SIGQUIT 1"]);
  });

  it("kills the postmaster first and then each backend when the grace is over", async () => {
    const { stage, run } = server(process(1), [process(2), process(3)]);
    expect(await run(300)).toEqual({ down: true, remaining: 0 });
    expect(stage.sent).toEqual(["SIGQUIT 1", "SIGKILL 1", "SIGKILL 2", "SIGKILL 3"]);
  });

  it("grants no grace to a stopped postmaster or to orphans", async () => {
    const stopped = server(process(1, "T"), [process(2)]);
    expect(await stopped.run(60_000)).toEqual({ down: true, remaining: 0 });
    expect(stopped.stage.sent).toEqual(["SIGKILL 1", "SIGKILL 2"]);
    const orphans = server(undefined, [process(2)]);
    expect(await orphans.run(60_000)).toEqual({ down: true, remaining: 0 });
  });

  it("repeats until the proof, and says what remains when its time is up", async () => {
    const { stage, run } = server(process(1), [process(2, "D")]);
    stage.obey = ({ state }, signal) => signal === "SIGKILL" && state !== "D";
    expect(await run(100, 1000)).toEqual({ down: false, remaining: 1 });
    expect(stage.sent.filter((line) => line === "SIGKILL 2").length).toBeGreaterThan(2);
  });

  it("does not call a server down to which somebody is attached", async () => {
    const { stage, run } = server(process(1), []);
    stage.attached = () => 2;
    expect(await run(0, 500)).toEqual({ down: false, remaining: 2 });
  });
});
