// Which ways does a session take to another member, and what does it check on them?
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PeerCertificate } from "node:tls";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Protection } from "../../model/settings.ts";
import { waysTo } from "./protection.ts";

const ways = (protection: Protection, host = "10.0.0.1") =>
  waysTo(host, { username: "u", password: undefined, protection });
const kinds = (protection: Protection) =>
  ways(protection).map((tls) => (tls === false ? "plain" : "tls"));

describe("the ways to another member", () => {
  it.each([
    [{}, ["plain", "tls"]],
    [{ sslmode: "disable" }, ["plain"]],
    [{ sslmode: "allow" }, ["plain", "tls"]],
    [{ sslmode: "prefer" }, ["tls", "plain"]],
    [{ sslmode: "require" }, ["tls"]],
    [{ sslmode: "verify-ca" }, ["tls"]],
    [{ sslmode: "verify-full" }, ["tls"]],
  ] as const)("with %j are %j", (protection, expected) => {
    expect(kinds(protection)).toEqual(expected);
  });

  it("have no TLS on a socket of this host", () => {
    expect(ways({ sslmode: "verify-full" }, "/run/postgresql")).toEqual([false]);
  });

  it("check the authority where a mode or a given authority says so", () => {
    const checks = (protection: Protection) => ways(protection)[0];
    expect(checks({ sslmode: "prefer" })).toMatchObject({ rejectUnauthorized: false });
    expect(checks({ sslmode: "require" })).toMatchObject({ rejectUnauthorized: false });
    expect(checks({ sslmode: "require", sslrootcert: "system" })).toMatchObject({
      rejectUnauthorized: true,
    });
    expect(checks({ sslmode: "verify-ca" })).toMatchObject({ rejectUnauthorized: true });
  });

  it("check the name in verify-full alone, an address as well as a name", () => {
    const certificate = { subjectaltname: "IP Address:10.0.0.2", subject: {} } as PeerCertificate;
    const verdict = (sslmode: string) => {
      const [tls] = ways({ sslmode });
      return tls === undefined || tls === false
        ? undefined
        : tls.checkServerIdentity?.("localhost", certificate);
    };
    expect(verdict("verify-ca")).toBeUndefined();
    expect(verdict("verify-full")).toBeInstanceOf(Error);
  });

  it("believe no certificate that any list of a folder revokes", () => {
    const folder = mkdtempSync(join(tmpdir(), "us-revoked-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const lists = join(folder, "lists");
    mkdirSync(join(lists, "folder"), { recursive: true });
    for (const name of ["one", "two"]) writeFileSync(join(lists, name), name);
    writeFileSync(join(folder, "three"), "three");
    const [tls] = ways({ sslmode: "require", sslcrl: join(folder, "three"), sslcrldir: lists });
    const found = tls === undefined || tls === false ? [] : tls.crl;
    expect(String(found).split(",").toSorted()).toEqual(["one", "three", "two"]);
    expect(() => ways({ sslmode: "require", sslcrldir: "/nowhere" })).toThrow(/reading .nowhere/);
  });

  it("end with a plain sentence where a file is not there", () => {
    expect(() => ways({ sslmode: "require", sslrootcert: "/nowhere/ca.crt" })).toThrow(
      /reading .nowhere.ca.crt/,
    );
  });
});
