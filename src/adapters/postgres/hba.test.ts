import { expect, test } from "vitest";
import type { PostgresSettings } from "../../model/settings.ts";
import { renderHba, renderIdent } from "./hba.ts";

const settings = {
  superuser: { username: "postgres" },
  replication: { username: "rep" },
  pgHba: [],
  pgIdent: ["m a b"],
} as unknown as PostgresSettings;
const rows = (lines: readonly string[], osNames = ["root"]): string[] =>
  renderHba({ settings, osNames, lines }).trim().split("\n").slice(1);

test("the agent's own line is the first, passwords are asked of everybody else", () => {
  expect(rows([])).toEqual([
    'local all "postgres" peer map=understudy',
    "local all all scram-sha-256",
    "host all all all scram-sha-256",
    'local replication "rep" scram-sha-256',
    'host replication "rep" all scram-sha-256',
  ]);
});

test("the user's lines replace the defaults; replication is added only where they are silent", () => {
  expect(rows(["host all all 10.0.0.0/8 md5"])).toHaveLength(4);
  expect(rows(["hostssl replication rep 10.0.0.0/8 cert"])).toEqual([
    'local all "postgres" peer map=understudy',
    "hostssl replication rep 10.0.0.0/8 cert",
  ]);
});

test("without a name for the kernel to vouch for, the agent uses its password", () => {
  expect(rows([], [])[0]).toBe('local all "postgres" scram-sha-256');
});

test("the map names agent and server user, then the user's own", () => {
  const map = (lines: readonly string[]) =>
    renderIdent({ settings, osNames: ["root", "postgres"], lines });
  const ours =
    '# Written by Understudy.\nunderstudy "root" "postgres"\nunderstudy "postgres" "postgres"\n';
  expect(map([])).toBe(`${ours}m a b\n`);
  expect(map(["m c d"])).toBe(`${ours}m c d\n`);
});
