// Are all private keys of a file found, however it was written, and nothing else?
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { USUAL_DRILL } from "../model/settings-drill.ts";
import { identitiesOf } from "./named.ts";

test("keys are read from a file with comments, indents and the line ends of another system", async () => {
  const folder = mkdtempSync(join(tmpdir(), "us-named-"));
  try {
    const identityFile = join(folder, "keys");
    writeFileSync(
      identityFile,
      "# public key: age1x\r\nAGE-SECRET-KEY-1A\r\n  AGE-SECRET-KEY-1B\n",
    );
    const settings = {
      repositories: [],
      compression: "zstd",
      recipients: [],
      walBudgetBytes: 0,
      drill: USUAL_DRILL,
      identityFile,
    } as const;
    const keys = ["AGE-SECRET-KEY-1A", "AGE-SECRET-KEY-1B"];
    expect(await identitiesOf(settings, undefined)).toEqual(keys);
    expect(await identitiesOf({ ...settings, identityFile: undefined }, undefined)).toEqual([]);
    const absent = identitiesOf(settings, join(folder, "absent"));
    await expect(absent).rejects.toMatchObject({ code: "REPO_KEY_WRONG" });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
