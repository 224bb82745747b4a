import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  areStale,
  cleanAutoConfig,
  renderConfig,
  renderUpstream,
  writeConfigFiles,
} from "./config.ts";

const stage = { home: "" };
beforeEach(async () => {
  stage.home = await mkdtemp(join(tmpdir(), "us-config-"));
});
afterEach(async () => {
  await rm(stage.home, { recursive: true, force: true });
});

const files = { config: renderConfig({ work_mem: "8MB" }), hba: "# hba\n", ident: "# ident\n" };
const read = (name: string): Promise<string> => readFile(join(stage.home, name), "utf8");

test("on disk the server listens nowhere, whatever was read before", () => {
  const text = renderConfig({ listen_addresses: "*" });
  expect(text).toContain("\ninclude 'postgresql.base.conf'\n");
  const of = (isNeeded: boolean) => renderConfig({}, { path: "/etc/it's.conf", isNeeded });
  expect(of(true)).toContain("\ninclude '/etc/it''s.conf'\n");
  expect(of(false)).toContain("\ninclude_if_exists '/etc/it''s.conf'\n");
  expect(text.lastIndexOf("listen_addresses = ''")).toBeGreaterThan(text.indexOf("'*'"));
});

test("quotes, backslashes and line breaks stay inside the value", () => {
  expect(renderConfig({ x: "it's\\\n1" })).toContain("x = 'it''s\\\\\\n1'\n");
});

test("an upstream's connection is quoted twice: for libpq and for the file", () => {
  const text = renderUpstream({
    connection: { host: "h", application_name: "o'k" },
    slot: "slot_1",
  });
  expect(text).toContain("primary_conninfo = 'host=''h'' application_name=''o\\\\''k'''\n");
  expect(text).toContain("primary_slot_name = 'slot_1'\n");
});

test("the file that was there is kept as the base, once", async () => {
  await writeFile(join(stage.home, "postgresql.conf"), "# by initdb\n");
  expect(await areStale(stage.home, files)).toBe(true);
  await writeConfigFiles(stage.home, files, undefined);
  expect(await areStale(stage.home, files)).toBe(false);
  await writeConfigFiles(stage.home, { ...files, config: renderConfig({}) }, undefined);
  expect(await read("postgresql.base.conf")).toBe("# by initdb\n");
  expect(await read("postgresql.conf")).toBe(renderConfig({}));
});

test("ALTER SYSTEM keeps no address and no upstream", async () => {
  const text =
    "# do not edit\nwork_mem = '9MB'\nlisten_addresses = '*'\nprimary_conninfo = 'x=y'\n";
  await writeFile(join(stage.home, "postgresql.auto.conf"), text);
  expect(await cleanAutoConfig(stage.home, undefined)).toEqual([
    "listen_addresses",
    "primary_conninfo",
  ]);
  expect(await read("postgresql.auto.conf")).toBe("# do not edit\nwork_mem = '9MB'\n");
});
