// Can anyone install exactly what we tested, from any registry, and are the bundles what we think?
import { existsSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { describe, expect, it } from "vitest";
import { root, textOf } from "./tree.ts";

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

interface Locked {
  readonly resolved?: string;
  readonly integrity?: string;
  readonly optional?: boolean;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly libc?: readonly string[];
}

interface Lockfile {
  readonly packages: Readonly<Record<string, Locked>>;
}

const folders = ["", "test/servers/"];

describe.each(folders)("the packages of ./%s", (folder) => {
  const lock = JSON.parse(textOf(`${folder}package-lock.json`)) as Lockfile;

  it("are pinned to exact versions", () => {
    const { dependencies, devDependencies } = JSON.parse(
      textOf(`${folder}package.json`),
    ) as Manifest;
    const loose = Object.entries({ ...dependencies, ...devDependencies }).filter(
      ([, version]) => !/^(?:npm:@?[\w/.-]+@)?\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(version),
    );
    expect(loose).toEqual([]);
  });

  it("are locked without naming a registry", () => {
    const named = Object.entries(lock.packages).filter(
      ([, { resolved }]) => resolved !== undefined,
    );
    expect(named.map(([path]) => path)).toEqual([]);
    expect(textOf(`${folder}.npmrc`)).not.toMatch(/registry\s*=|\/\//);
  });

  it("are locked by their checksums", () => {
    const loose = Object.entries(lock.packages).filter(
      ([path, entry]) => path !== "" && entry.integrity === undefined && !isForeign(entry),
    );
    expect(loose.map(([path]) => path)).toEqual([]);
  });
});

const commandLines = ["src/cli/main.ts"].filter((entry) => existsSync(join(root, entry)));

it.each(commandLines)("the bundle of %s is free of heavy packages", async (entry) => {
  const heavy = /^(?:pg\b|hono|@hono|valibot|@valibot|pino|prom)/;
  expect((await packagesIn(entry)).filter((name) => heavy.test(name))).toEqual([]);
});

it("the agent's bundle is free of what belongs into a worker", async () => {
  const heavy = /^(?:@aws-sdk|@smithy|age-encryption|@noble|hash-wasm)/;
  expect((await packagesIn("src/agent/main.ts")).filter((name) => heavy.test(name))).toEqual([]);
});

/**
 * Programs for machines other than glibc Linux on x64 and arm64 are in the lockfile, since `npm ci`
 * refuses one that is incomplete, but a mirror that serves only Linux cannot tell their checksums.
 */
function isForeign({ optional, os, cpu, libc }: Locked): boolean {
  const known =
    os?.includes("linux") &&
    cpu?.some((name) => /^(?:x64|arm64)$/.test(name)) &&
    !libc?.includes("musl");
  return optional === true && !known;
}

/** The npm packages that end up in the bundle of `entry`. */
async function packagesIn(entry: string): Promise<readonly string[]> {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: [entry],
    bundle: true,
    write: false,
    metafile: true,
    format: "esm",
    platform: "node",
    external: ["pg-native"],
  });
  const inputs = Object.values(metafile.outputs).flatMap(({ inputs: used }) =>
    Object.entries(used).filter(([, { bytesInOutput }]) => bytesInOutput > 0),
  );
  const names = inputs.flatMap(
    ([path]) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? [],
  );
  return [...new Set(names)].toSorted();
}
