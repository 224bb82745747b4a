// Does PostgreSQL get a command that says yes only with ours, and then with the user's own?
import { describe, expect, test } from "vitest";
import { archiveCommand, ownArchiving, renderGate } from "./wal-gate.ts";

describe("archive_command", () => {
  test("asks the gate alone where the user archives nothing", () => {
    expect(archiveCommand("/s/vault", undefined)).toBe("'/s/vault/gate' %f");
  });

  test("keeps a directory with odd characters one word, and its percent signs to itself", () => {
    expect(archiveCommand("/it's 5%/vault", undefined)).toBe("'/it'\\''s 5%%/vault/gate' %f");
  });

  test("runs the user's own command after a yes of ours", () => {
    expect(archiveCommand("/s", { command: "rsync %p far:/wal/%f", onStandbys: true })).toBe(
      "'/s/gate' %f && { rsync %p far:/wal/%f; }",
    );
  });

  test("leaves it out on a standby where the user wanted it on the primary alone", () => {
    expect(archiveCommand("/s", { command: "cp %p /wal/%f", onStandbys: false })).toBe(
      "'/s/gate' %f && { test -f standby.signal || { cp %p /wal/%f; }; }",
    );
  });
});

test("a command counts as the user's own only while archive_mode is on", () => {
  expect(ownArchiving({ archive_command: "cp" })).toBeUndefined();
  expect(ownArchiving({ archive_command: "cp", archive_mode: "off" })).toBeUndefined();
  expect(ownArchiving({ archive_command: " ", archive_mode: "on" })).toBeUndefined();
  expect(ownArchiving({ archive_command: "cp", archive_mode: "on" })).toEqual({
    command: "cp",
    onStandbys: false,
  });
  expect(ownArchiving({ archive_command: "cp", archive_mode: "ALWAYS" })?.onStandbys).toBe(true);
});

test("the script knows where its worker listens", () => {
  expect(renderGate("/s/vault")).toContain("socket='/s/vault/vault.sock'");
});
