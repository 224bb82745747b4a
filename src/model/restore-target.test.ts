// What PostgreSQL is told, and that it can be taken back.
import { expect, test } from "vitest";
import { lsn } from "./lsn.ts";
import { recoverySettings, withoutRecovery, withRecovery } from "./restore-target.ts";

const PLAIN = { timeline: 3, action: "promote" } as const;

test("the timeline is always a number, and the archive is never written", () => {
  const target = { kind: "lsn", lsn: lsn(0x3000148) } as const;
  expect(recoverySettings({ ...PLAIN, target })).toMatchObject({
    restore_command: "false",
    recovery_target_timeline: "3",
    recovery_target_lsn: "0/3000148",
    recovery_target_action: "promote",
    archive_mode: "off",
    synchronous_standby_names: "",
  });
});

test("each target has its own setting, and the backup alone has none", () => {
  const named = (target: Parameters<typeof recoverySettings>[0]["target"]) =>
    Object.entries(recoverySettings({ ...PLAIN, target })).filter(
      ([name]) => name.startsWith("recovery_target") && !/_(timeline|action)$/.test(name),
    );
  expect(named({ kind: "backup" })).toEqual([]);
  expect(named({ kind: "time", atMs: 0 })).toEqual([
    ["recovery_target_time", "1970-01-01T00:00:00.000+00:00"],
  ]);
  expect(named({ kind: "xid", xid: "777" })).toEqual([["recovery_target_xid", "777"]]);
  expect(named({ kind: "name", name: "x" })).toEqual([["recovery_target_name", "x"]]);
});

test("settings stand behind the others, once, and go without a trace", () => {
  const before = "# kept\nwork_mem = '4MB'\n";
  const once = withRecovery(before, { recovery_target_name: "before o'clock" });
  expect(once).toContain("work_mem = '4MB'\n# Recovery");
  expect(once).toContain("recovery_target_name = 'before o''clock'\n");
  expect(withRecovery(once, { recovery_target_name: "before o'clock" })).toBe(once);
  expect(withoutRecovery(once)).toBe(before);
  expect(withoutRecovery(withRecovery("", {}))).toBe("");
});
