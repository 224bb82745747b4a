// The keeper of the front door: open while this node leads and takes writes, closed otherwise, in the right order.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { virtualClock } from "../../test/support/clock.ts";
import { until } from "../../test/support/until.ts";
import {
  following,
  given,
  leading,
  NOW,
  sql,
  TERM,
  withoutLease,
} from "../../test/support/world.ts";
import { createDoorCommand } from "../adapters/front-door/door-command.ts";
import { type DoorKeeper, keepDoor } from "./front-door.ts";

describe("the keeper of the front door", () => {
  let dir = "";
  let keeper: DoorKeeper;
  const said: string[] = [];
  const say = (message: string) => void said.push(message);

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "us-door-"));
    const command = `sh -c 'echo "$1 $4" >> ${dir}/calls; test ! -e ${dir}/refuse' x`;
    const door = createDoorCommand({ command, scope: "demo", name: "n1", user: undefined });
    said.length = 0;
    const log = { error: say, warn: say, info: say, debug: say };
    keeper = keepDoor({ door, clock: virtualClock(NOW), log });
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  const calls = (): readonly string[] => {
    try {
      return (
        readFileSync(join(dir, "calls"), "utf8")
          .split("\n")
          .map((line) => line.trim())
          // The file may be there a moment before its first line.
          .filter((line) => line !== "")
      );
    } catch {
      return [];
    }
  };
  const OPENED = [`prepare ${TERM}`, `acquire ${TERM}`, `verify ${TERM}`];

  it("opens once for a term, in order, and closes when the lease is gone", async () => {
    keeper.onLook(leading());
    await until("it is open", () => said.includes("clients are led here"));
    expect(calls()).toEqual(OPENED);
    keeper.onLook(leading());
    keeper.onLook(given(leading(), withoutLease));
    await until("it is closed", () => said.includes("clients are not led here any more"));
    expect(calls()).toEqual([...OPENED, "release"]);
  });

  it("is not open for a leader that does not take writes yet", async () => {
    keeper.onLook(given(leading(), sql({ inRecovery: true })));
    await until("what an earlier life may have left is released", () => calls().length > 0);
    expect(calls()).toEqual(["release"]);
  });

  it("releases once, not at every look of a standby, and opens no more once it is closed", async () => {
    keeper.onLook(following());
    await until("it is released", () => calls().length > 0);
    keeper.onLook(following());
    await keeper.close();
    keeper.onLook(leading());
    await keeper.close();
    expect(calls()).toEqual(["release"]);
  });
});
