// The simulator as a program: node dist/sim.mjs --seeds 1000, or understudy sim.
import { simulate } from "../src/sim/main.ts";
import { STORIES } from "./all.ts";

process.exitCode = await simulate(process.argv.slice(2), STORIES);
