// Does the file beside the data say what the store says, and is it believed only where nothing better is known?
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { cluster, given, jobOf, leading, noData } from "../../test/support/world.ts";
import { createLog } from "../adapters/system/log.ts";
import { openNodeState } from "../adapters/system/node-state.ts";
import type { HaWorld } from "../controllers/ha/world.ts";
import { DEFAULT_CONFIG } from "../model/config.ts";
import { DynamicFile, takeOverDynamicFile } from "./dynamic-file.ts";

const at = { folder: "" };
beforeEach(() => {
  at.folder = mkdtempSync(join(tmpdir(), "us-dynamic-"));
});
afterEach(() => rmSync(at.folder, { recursive: true, force: true }));

const path = () => join(at.folder, "patroni.dynamic.json");
const text = () => (existsSync(path()) ? readFileSync(path(), "utf8") : undefined);
const stored = (raw: Readonly<Record<string, unknown>>): HaWorld =>
  given(
    leading(),
    cluster(() => ({ config: { value: { ...DEFAULT_CONFIG, raw }, modRevision: 5 } })),
  );
const file = (write: (line: string) => void = () => undefined) =>
  new DynamicFile({
    dataDir: at.folder,
    user: undefined,
    log: createLog({ level: "warn", isTerminal: false, write }),
  });

describe("patroni.dynamic.json", () => {
  it("follows the store, and is not watched over: whoever deletes it has deleted it", async () => {
    const kept = file();
    const first = stored({ ttl: 20 });
    kept.looked(first);
    await vi.waitFor(() => expect(text()).toBe('{"ttl":20}'));
    rmSync(path());
    kept.looked(first);
    expect(text()).toBeUndefined();
    kept.looked(stored({ ttl: 30 }));
    await vi.waitFor(() => expect(text()).toBe('{"ttl":30}'));
  });

  it("is written as soon as it can be, and a failure is told once", async () => {
    const lines: string[] = [];
    const kept = file((line) => lines.push(line));
    const look = stored({ ttl: 20 });
    mkdirSync(path());
    kept.looked(look);
    await vi.waitFor(() => expect(lines).toHaveLength(1));
    kept.looked(look);
    rmSync(path(), { recursive: true });
    await vi.waitFor(() => {
      kept.looked(look);
      expect(text()).toBe('{"ttl":20}');
    });
    expect(lines).toHaveLength(1);
  });

  it("is not written into a directory without data, nor while a long step works on it", () => {
    const kept = file();
    kept.looked(given(stored({ ttl: 20 }), noData("empty")));
    kept.looked(given(stored({ ttl: 20 }), jobOf({ kind: "checkpoint" })));
    expect(text()).toBeUndefined();
  });

  it("is taken over by an agent that remembers nothing, and by no other", async () => {
    const state = await openNodeState(join(at.folder, "state"));
    writeFileSync(path(), "nonsense");
    await takeOverDynamicFile(at.folder, state);
    expect(state.current().config).toBeUndefined();
    writeFileSync(path(), '{"ttl": 40, "loop_wait": 10}');
    await takeOverDynamicFile(at.folder, state);
    expect(state.current().config).toBe('{"ttl":40,"loop_wait":10}');
    writeFileSync(path(), '{"ttl": 50}');
    await takeOverDynamicFile(at.folder, state);
    expect(state.current().config).toBe('{"ttl":40,"loop_wait":10}');
  });
});
