// Does a key sign for itself alone, is it made once, and is what cannot be one refused?
import { generateKeyPairSync } from "node:crypto";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import type { NodeSettings } from "../model/settings.ts";
import { isSigned, keyFileOf, openSigner, readSigner } from "./signing.ts";

const folder = mkdtempSync(join(tmpdir(), "us-signing-"));
afterAll(() => rmSync(folder, { recursive: true }));

function settingsIn(name: string): NodeSettings {
  const stateDir = join(folder, name);
  mkdirSync(join(stateDir, "server"), { recursive: true });
  return { postgres: { stateDir } } as NodeSettings;
}

test("a key is made once, for nobody else to read, and signs what it signed", async () => {
  const settings = settingsIn("once");
  expect(await readSigner(settings)).toBeUndefined();
  const first = await openSigner(settings);
  const again = await openSigner(settings);
  expect(again.name).toBe(first.name);
  expect(first.name).toMatch(/^[0-9a-f]{32}$/);
  expect(statSync(keyFileOf(settings)).mode & 0o777).toBe(0o600);
  const { name, publicPem: pem } = first;
  const signature = first.sign("a proof");
  expect(isSigned("a proof", { name, pem, signature })).toBe(true);
  expect(isSigned("another", { name, pem, signature })).toBe(false);
  const broken = Buffer.from(signature);
  broken[0] = (broken[0] ?? 0) ^ 1;
  expect(isSigned("a proof", { name, pem, signature: broken })).toBe(false);
});

test("another key under the name of one is not believed", async () => {
  const mine = await openSigner(settingsIn("mine"));
  const theirs = await openSigner(settingsIn("theirs"));
  const signature = theirs.sign("a proof");
  expect(isSigned("a proof", { name: mine.name, pem: theirs.publicPem, signature })).toBe(false);
  expect(isSigned("a proof", { name: mine.name, pem: "no key", signature })).toBe(false);
});

test("a key that others may read, or that is of another kind, is refused and left as it is", async () => {
  const settings = settingsIn("wrong");
  const file = keyFileOf(settings);
  const { privateKey } = generateKeyPairSync("x25519");
  const pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  writeFileSync(file, pem, { mode: 0o600 });
  await expect(openSigner(settings)).rejects.toThrow("no private key of Ed25519");
  chmodSync(file, 0o640);
  await expect(openSigner(settings)).rejects.toThrow("others may read it");
  expect(readFileSync(file, "utf8")).toBe(pem);
});
