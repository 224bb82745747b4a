// Which tests exist, and how each kind may run: pure ones in parallel, those with real servers one after another.
// What runs beside what in `npm test` is in scripts/lanes.mjs.
import { defineConfig } from "vitest/config";

const SECONDS = 1000;

/** Tests that own real servers share ports, disk and cores, so their files never overlap. */
const oneAfterAnother = { fileParallelism: false, maxWorkers: 1 } as const;

export default defineConfig({
  oxc: { target: "node20" },
  test: {
    passWithNoTests: true,
    projects: [
      project("unit", ["src/**/*.test.ts"], {
        exclude: ["src/sim/**", "**/node_modules/**"],
        // A property test takes a second; at the lowest priority beside others' servers it may take long.
        testTimeout: 120 * SECONDS,
      }),
      project("contract", ["test/contract/**/*.test.ts"], {
        ...oneAfterAnother,
        testTimeout: 60 * SECONDS,
        hookTimeout: 60 * SECONDS,
      }),
      project("sim", ["src/sim/**/*.test.ts", "scenarios/**/*.test.ts"], {
        testTimeout: 360 * SECONDS,
      }),
      project("tidy", ["test/tidy/**/*.test.ts"], { testTimeout: 120 * SECONDS }),
      project("real", ["test/real/**/*.test.ts"], {
        ...oneAfterAnother,
        testTimeout: 120 * SECONDS,
        hookTimeout: 120 * SECONDS,
      }),
      project("chaos", ["test/chaos/**/*.test.ts"], {
        ...oneAfterAnother,
        testTimeout: 180 * SECONDS,
        hookTimeout: 180 * SECONDS,
      }),
    ],
  },
});

function project(name: string, include: string[], more: object = {}) {
  return { extends: true as const, test: { name, include, environment: "node", ...more } };
}
