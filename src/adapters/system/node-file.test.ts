import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished, vi } from "vitest";
import { parse } from "yaml";
import { aroundHere, ENVIRONMENT, isInEnvironment, readNodeText, wholeName } from "./node-file.ts";

function folderOf(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), "us-node-file-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, "old.yml.d"));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

it("a file is read as it stands, and so is the only one of a folder", () => {
  const text = "# mine\nscope: s\n";
  const folder = folderOf({ "a.yml": text, "notes.txt": "x" });
  expect(readNodeText(join(folder, "a.yml"))).toBe(text);
  expect(readNodeText(folder)).toBe(text);
});

it("the files of a folder are merged in the order of their names", () => {
  const folder = folderOf({
    "20-more.yaml": "name: n2\npostgresql: {parameters: {work_mem: 8MB}, pg_hba: [b]}\n",
    "10-first.yml": "scope: s\nname: n1\npostgresql: {port: 1, pg_hba: [a, c]}\n",
    "30-empty.yml": "",
  });
  expect(parse(readNodeText(folder))).toEqual({
    scope: "s",
    name: "n2",
    postgresql: { port: 1, parameters: { work_mem: "8MB" }, pg_hba: ["b"] },
  });
});

it.each([
  ["a: [", /reading .*b\.yml/],
  ["- a", /reading .*b\.yml/],
])("a file of a folder that is no map is named: %s", (text, where) => {
  const folder = folderOf({ "a.yml": "scope: s", "b.yml": text });
  expect(() => readNodeText(folder)).toThrow(where);
});

it("without a file the variables say it all, one that holds a whole file before the others", () => {
  vi.stubEnv("PATRONI_SCOPE", "s");
  onTestFinished(() => void vi.unstubAllEnvs());
  expect([isInEnvironment(), readNodeText(ENVIRONMENT)]).toEqual([true, ""]);
  expect(aroundHere(ENVIRONMENT).environment).toMatchObject({ PATRONI_SCOPE: "s" });
  vi.stubEnv("PATRONI_CONFIGURATION", "scope: whole");
  expect(readNodeText(ENVIRONMENT)).toBe("scope: whole");
  expect(aroundHere(ENVIRONMENT).environment).toEqual({});
  expect(aroundHere("n.yml").environment).toMatchObject({ PATRONI_SCOPE: "s" });
  expect([wholeName(ENVIRONMENT), wholeName("/n.yml")]).toEqual([ENVIRONMENT, "/n.yml"]);
});

it("what is not there, and a folder without any file, is named", () => {
  expect(() => readNodeText("/nowhere.yml")).toThrow(/reading .nowhere\.yml/);
  expect(() => readNodeText(folderOf({}))).toThrow(/no \*\.yml/);
});
