import { expect, it } from "vitest";
import { parseNodeFile } from "./settings-file.ts";
import { watchdogTimeout } from "./watchdog-time.ts";

const timeout = (watchdog: string, ttlMs = 30_000) => {
  const file = parseNodeFile(
    `{scope: s, name: n, etcd: {host: e}, watchdog: ${watchdog}, postgresql: {connect_address: h, data_dir: /d, authentication: {replication: {password: p}}}}`,
    "n.yml",
  );
  return file.kind === "settings" ? watchdogTimeout(file.settings.watchdog, ttlMs) : file;
};

it.each([
  ["{}", 5_000],
  ["{safety_margin: 8}", 8_000],
  ["{safety_margin: -1}", 5_000],
  ["{safety_margin: 0}", 2_000],
  ["{driver: testing}", 25_000],
  ["{driver: testing, safety_margin: 10}", 20_000],
  ["{driver: testing, safety_margin: -1}", 15_000],
] as const)("a watchdog with %s waits %i ms", (watchdog, expected) => {
  expect(timeout(watchdog)).toBe(expected);
});
