// Are callbacks told in order, one at a time, and ended when they hang?
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { settings as settingsOf } from "../../../test/support/node-view.ts";
import type { NodeSettings } from "../../model/settings.ts";
import { createClock } from "../system/clock.ts";
import { createCallbacks } from "./callbacks.ts";

const clock = createClock();
const LONG_MS = 20_000;

const settingsWith = (callbacks: NodeSettings["postgres"]["callbacks"]): NodeSettings => {
  const settings = settingsOf();
  return { ...settings, postgres: { ...settings.postgres, callbacks } };
};

/** A queue, what it has logged, and a file for its commands to write to. */
function stage(
  callbacksOf: (file: string) => Parameters<typeof settingsWith>[0],
  limitMs = LONG_MS,
) {
  const dir = mkdtempSync(join(tmpdir(), "us-hooks-"));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const file = join(dir, "told");
  const settings = settingsWith(callbacksOf(file));
  const said: string[] = [];
  const note = (message: string) => void said.push(message);
  const log = { error: note, warn: note, info: note, debug: note };
  const callbacks = createCallbacks({
    settings: () => settings,
    user: undefined,
    clock,
    log,
    limitMs,
  });
  const told = () => readFileSync(file, "utf8").trimEnd().split("\n");
  return { callbacks, said, told };
}

describe("callbacks", () => {
  it("get action, role and scope, in the order of the events", async () => {
    const { callbacks, told } = stage((file) => {
      const write = `sh -c 'echo "$@" $UNDERSTUDY_NAME >> ${file}' sh`;
      return { on_start: `sleep 0.2; ${write}`, on_role_change: write };
    });
    callbacks.tell({ action: "on_start", role: "primary" });
    callbacks.tell({ action: "on_role_change", role: "demoted" });
    callbacks.tell({ action: "on_stop", role: "demoted" });
    await callbacks.drain(LONG_MS);
    expect(told()).toEqual(["on_start primary demo n1", "on_role_change demoted demo n1"]);
  });

  it("that fail or hang keep nobody from being told", async () => {
    const commands = (file: string) => ({
      on_start: "exit 3 #",
      on_restart: `sleep 600; echo never >> ${file} #`,
      on_stop: `echo stopped >> ${file} #`,
    });
    const { callbacks, said, told } = stage(commands, 300);
    callbacks.tell({ action: "on_start", role: "primary" });
    callbacks.tell({ action: "on_restart", role: "primary" });
    callbacks.tell({ action: "on_stop", role: "primary" });
    await callbacks.drain(LONG_MS);
    expect(told()).toEqual(["stopped"]);
    expect(said).toEqual([
      "a callback failed",
      "a callback could not be run to its end",
      "a callback was told",
    ]);
  });

  it("are given up when too many wait, the oldest first", async () => {
    const { callbacks, told } = stage((file) => ({ on_reload: `sh -c 'echo $2 >> ${file}' sh` }));
    for (let role = 0; role < 30; role++) callbacks.tell({ action: "on_reload", role: `${role}` });
    await callbacks.drain(LONG_MS);
    expect(told()).toHaveLength(21);
    expect(told().at(-1)).toBe("29");
  });
});
