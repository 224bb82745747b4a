// Do the PostgreSQL servers that only the tests use run here, as the user that will run them?
import { type ExecFileSyncOptionsWithStringEncoding, execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect, it } from "vitest";
import { type EmbeddedMajor, embeddedBin } from "../servers/find.ts";

const majors: readonly EmbeddedMajor[] = [14, 16, 17, 18];

it.each(majors)("PostgreSQL %i starts for an unprivileged user", (major) => {
  const told = execFileSync(join(embeddedBin(major), "postgres"), ["--version"], asServerUser());
  expect(told).toContain(`(PostgreSQL) ${major}.`);
});

function asServerUser(): ExecFileSyncOptionsWithStringEncoding {
  const options = { encoding: "utf8", cwd: "/" } as const;
  if (process.getuid?.() !== 0) return options;
  const id = (flag: string): number =>
    Number(execFileSync("id", [flag, "postgres"], { encoding: "utf8" }));
  return { ...options, uid: id("-u"), gid: id("-g") };
}
