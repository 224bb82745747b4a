// Our programs for a test, as the build makes them: from the sources, not from dist, where somebody may be building.
import { join } from "node:path";
import { build } from "esbuild";

const REPOSITORY = join(import.meta.dirname, "../..");

/** Each entry point becomes `<outdir>/<its name>.mjs`. */
export async function bundlePrograms(
  outdir: string,
  entryPoints: Readonly<Record<string, string>>,
): Promise<void> {
  await build({
    absWorkingDir: REPOSITORY,
    entryPoints: { ...entryPoints },
    outdir,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
    external: ["pg-native"],
    logLevel: "warning",
    banner: {
      js: 'import { createRequire as __cr } from "node:module";const require = __cr(import.meta.url);',
    },
  });
}
