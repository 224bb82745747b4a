import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { newestTimeline } from "./wal-files.ts";

test("the WAL has come to the newest timeline of which there is a segment", async () => {
  const dataDir = mkdtempSync(join(tmpdir(), "wal-files-"));
  const wal = join(dataDir, "pg_wal");
  try {
    expect(await newestTimeline(dataDir)).toBe(0);
    mkdirSync(wal);
    for (const name of ["0000000900000000000000FF", "0000000A0000000000000004", "archive_status"]) {
      writeFileSync(join(wal, name), "");
    }
    // A history file arrives before the server has decided to go there; half a segment is none yet.
    writeFileSync(join(wal, "0000000B.history"), "");
    writeFileSync(join(wal, "0000000C0000000000000004.partial"), "");
    expect(await newestTimeline(dataDir)).toBe(10);
  } finally {
    rmSync(dataDir, { recursive: true });
  }
});
