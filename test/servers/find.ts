// Where are the servers that only the tests use? PostgreSQL refuses to run as root, so as root it runs
// as `postgres`, who may be unable to enter the folder of this clone: then a copy stands in.

import { createHash } from "node:crypto";
import { chmodSync, cpSync, existsSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export type EmbeddedMajor = 14 | 16 | 17 | 18;

const here = dirname(fileURLToPath(import.meta.url));

/** The folder with `initdb`, `pg_ctl` and `postgres` of this major version (no client tools). */
export function embeddedBin(major: EmbeddedMajor): string {
  const installed = join(here, "node_modules", `pg${major}`, "native");
  if (!existsSync(join(installed, "bin", "postgres"))) {
    throw new Error(`PostgreSQL ${major} for tests is missing: npm ci in test/servers brings it`);
  }
  const reachable = process.getuid?.() !== 0 || everyoneMayEnter(installed);
  return join(reachable ? installed : copyOf(installed, major), "bin");
}

/** May a user who owns nothing on the way walk down to this folder? */
function everyoneMayEnter(folder: string): boolean {
  const open = (statSync(folder).mode & 0o001) !== 0;
  return open && (folder === "/" || everyoneMayEnter(dirname(folder)));
}

/** One copy for each set of versions; made beside its place and renamed, so that it is whole or absent. */
function copyOf(installed: string, major: EmbeddedMajor): string {
  const versions = createHash("sha256").update(readFileSync(join(here, "package-lock.json")));
  const place = `/var/tmp/understudy-test-pg${major}-${versions.digest("hex").slice(0, 12)}`;
  if (existsSync(place)) {
    // Anyone may write in that folder; only a copy of our own is run.
    if (statSync(place).uid === process.getuid?.()) return place;
    throw new Error(`${place} belongs to somebody else: remove it`);
  }
  const unfinished = `${place}.${process.pid}`;
  cpSync(installed, unfinished, { recursive: true, verbatimSymlinks: true });
  chmodSync(unfinished, 0o755);
  try {
    renameSync(unfinished, place);
  } catch (error) {
    // Another test process was first: its copy is as good.
    rmSync(unfinished, { recursive: true, force: true });
    if (!existsSync(place)) throw error;
  }
  return place;
}
