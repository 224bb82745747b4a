// Does the fence process, with a server of its own, keep a fence's promises?
import { setTimeout as pause } from "node:timers/promises";
import { takeDown } from "../../src/adapters/fence/takedown.ts";
import { clock, FenceStage, signal, until } from "../real/fence-stage.ts";
import { fenceContract } from "./fence-suite.ts";

/** A process of the list may have ended since, as the short-lived ones of a fresh server do. */
function stop(pid: number): void {
  try {
    process.kill(pid, "SIGSTOP");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

fenceContract("the fence process", async () => {
  const stage = await FenceStage.open();
  return {
    clock,
    agent: () => stage.client(),
    command: stage.command(),
    isServerDown: () => stage.look().isDown,
    serverAnswers: () => stage.serverAnswers(),
    freezeServer: () => {
      for (const { pid } of stage.look().processes) stop(pid);
    },
    killFence: () => process.kill(stage.fencePid(), "SIGKILL"),
    pass: (ms) => pause(ms),
    async reset() {
      const { dataDir } = stage;
      await takeDown({ dataDir, now: () => clock.now(), graceMs: 0, timeoutMs: 10_000 });
      const last = stage.client();
      await last.ensure(signal());
      // A server is down before its parent has heard of it.
      await until("the fence knows", () => last.status().serverPid === undefined);
      await last.disarm(signal());
      await last.quit(signal());
      await until("the fence has left", () => !stage.hasFence());
    },
    [Symbol.asyncDispose]: () => stage[Symbol.asyncDispose](),
  };
});
