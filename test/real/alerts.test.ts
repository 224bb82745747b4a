// Are the alert rules right in Prometheus' own eyes, and do they fire when they should and only then?
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect, it } from "vitest";

const cwd = join(import.meta.dirname, "..", "..", "monitoring");
const promtool = (...args: readonly string[]): string =>
  execFileSync("promtool", args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });

it("promtool accepts the rules", () => {
  expect(promtool("check", "rules", "alerts.yml")).toContain("SUCCESS");
});

it("they are silent for a healthy cluster and a quick failover, and fire for what they name", () => {
  expect(promtool("test", "rules", "alerts.test.yml")).toContain("SUCCESS");
});
