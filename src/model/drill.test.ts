// Is a proof read back as it was written, and is what is none refused?
import { expect, test } from "vitest";
import { type DrillProof, nameOfProof, parseProof, printProof, proofNameIn } from "./drill.ts";
import { proofKey } from "./repo-keys.ts";

const PROOF: DrillProof = {
  format: 1,
  kind: "drill",
  id: "20261127T082000Z-063dd4a5",
  outcome: "passed",
  scope: "shop",
  systemId: "7712710031016192950",
  repo: "near",
  ranOn: "n2",
  software: "0.1.0",
  postgres: "15.18",
  begunAt: "2026-11-27T08:20:00.000+00:00",
  begunAtMs: 1_795_767_600_000,
  endedAtMs: 1_795_767_660_000,
  backup: {
    id: "20261127T045404Z-063dd4a5",
    finishedAtMs: 1_795_755_250_000,
    timeline: 1,
    stopLsn: "0/3000148",
    dataBytes: 31_000_000,
    objects: [{ file: "base.tar.zst", storedBytes: 4_000_000, sha256: "00" }],
  },
  target: "the end of the WAL that is there",
  walSegments: 3,
  phases: [{ name: "restore", tookMs: 700 }],
  checks: [{ name: "pg_amcheck", outcome: "not checked", why: "it is not installed" }],
  signer: "8c1f6a3bd02e94577d10e9b2c4a6f813",
};

test("a proof is read as it was written, and its name says when, what and which", () => {
  expect(parseProof(printProof(PROOF))).toEqual(PROOF);
  expect(proofNameIn(proofKey(nameOfProof(PROOF)))).toEqual({
    atMs: PROOF.begunAtMs,
    outcome: "passed",
    id: PROOF.id,
  });
});

test.each([
  ["no JSON", "{"],
  ["another kind", JSON.stringify({ ...PROOF, kind: "verify" })],
  ["a newer format", JSON.stringify({ ...PROOF, format: 2 })],
  ["an outcome that is none", JSON.stringify({ ...PROOF, outcome: "unknown" })],
  ["no backup", JSON.stringify({ ...PROOF, backup: undefined })],
  ["an id that leads elsewhere", JSON.stringify({ ...PROOF, id: "../x" })],
])("%s is no proof", (_, text) => {
  expect(parseProof(text)).toBeUndefined();
});

test("names of other objects are none of a proof", () => {
  for (const key of [
    "proofs/1795767600000-verify-content-passed-20261127T045404Z-063dd4a5.json",
    "proofs/1795767600000-drill-passed-20261127T082000Z-063dd4a5.sig",
    "proofs/1795767600000-drill-perhaps-20261127T082000Z-063dd4a5.json",
  ])
    expect(proofNameIn(key)).toBeUndefined();
});
