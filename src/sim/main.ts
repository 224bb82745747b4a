// The simulator as a program: understudy sim --seeds N --from S --workers N --scenario X --mutant M --trace
import { parseArgs } from "node:util";
import { REASONS } from "../model/reason.ts";
import { startNode } from "../node/start.ts";
import { type Scenario, unmet } from "../scenario/scenario.ts";
import { printFault } from "../scenario/verbs.ts";
import { catchMutant } from "./catch.ts";
import { type HuntOptions, hunt, type Share, type Tally } from "./hunt.ts";
import { MUTANTS, mutantNamed } from "./mutants.ts";
import { complaint, LONG_SWARM, missed } from "./reached.ts";
import { storyOfScenario } from "./scenarios.ts";
import { shrink } from "./shrink.ts";
import { StoryRun } from "./story.ts";
import { type SwarmOptions, storyOf } from "./swarm.ts";
import type { Scene } from "./swarm-around.ts";
import { printing, transcript } from "./transcript.ts";
import { huntTogether, worksForOthers } from "./worker.ts";

/** No promise was broken, but a long swarm has not reached every reason. */
const EXIT_MISSED = 3;

const USAGE = `understudy sim: plays schedules of faults in virtual time and checks every promise
  --seeds N       how many schedules (default 100)
  --from S        the first seed (default 1)
  --scenario X    one story by name, or "all"
  --mutant M      with a planted bug, or "all": each must be caught
  --trace         every event of the schedule; with one seed or one scenario
  --workers N     so many cores play the schedules (default 1); not with --trace, a story or a mutant
  --scene X       every schedule has another site ("site"), or routers ("routers")
  --keep-going    do not stop at the first violation
  --json          one object at the end
Exit codes: 0 every promise kept, 1 one broken, 2 not understood, ${EXIT_MISSED} a swarm of ${LONG_SWARM} or more missed a reason`;

interface Arguments {
  readonly seeds: number;
  readonly from: number;
  readonly workers: number;
  readonly scenario: string | undefined;
  readonly mutant: string | undefined;
  readonly trace: boolean;
  readonly keepGoing: boolean;
  readonly scene: Scene | undefined;
  readonly json: boolean;
  readonly stories: readonly Scenario[];
  /** The schedule being played: a thrown error is laid at its door. */
  current: StoryRun | undefined;
}

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

const parse = (argv: readonly string[]) =>
  parseArgs({
    args: [...argv],
    options: {
      seeds: { type: "string", default: "100" },
      from: { type: "string", default: "1" },
      workers: { type: "string", default: "1" },
      scenario: { type: "string" },
      mutant: { type: "string" },
      scene: { type: "string" },
      trace: { type: "boolean", default: false },
      "keep-going": { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  }).values;

/** What was asked for; undefined, and said why, when it cannot be understood. */
function read(argv: readonly string[], stories: readonly Scenario[]): Arguments | undefined {
  let values: ReturnType<typeof parse>;
  try {
    values = parse(argv);
  } catch (error) {
    say(error instanceof Error ? error.message : String(error));
    return undefined;
  }
  const [seeds, from, workers] = [values.seeds, values.from, values.workers].map(Number);
  if (values.help || !isWhole(seeds) || !isWhole(from) || !isWhole(workers)) return undefined;
  const { scenario, mutant, trace, json, scene } = values;
  if (!isScene(scene)) return undefined;
  const playsAlone = trace || scenario !== undefined || mutant !== undefined;
  if (workers < 1 || (workers > 1 && playsAlone)) return undefined;
  return {
    seeds,
    from,
    workers,
    scenario,
    mutant,
    trace,
    json,
    scene,
    keepGoing: values["keep-going"],
    stories,
    current: undefined,
  };
}

const isScene = (text: string | undefined): text is Scene | undefined =>
  text === undefined || text === "site" || text === "routers";

const isWhole = (n: number | undefined): n is number => Number.isInteger(n);

/** The program; answers its exit code. */
export async function simulate(
  argv: readonly string[],
  stories: readonly Scenario[],
): Promise<number> {
  const args = read(argv, stories);
  if (args === undefined) {
    say(USAGE);
    return 2;
  }
  process.on("unhandledRejection", (error) => {
    args.current?.cluster.crashed(
      error instanceof Error ? (error.stack ?? error.message) : String(error),
    );
  });
  if (worksForOthers((share) => playShare(args, share))) return 0;
  if (args.scenario !== undefined) return playScenarios(args);
  if (args.mutant !== undefined) return huntMutants(args);
  return swarm(args);
}

const options = ({ scene }: Arguments): SwarmOptions => ({ factory: startNode, flaws: {}, scene });

const playShare = (args: Arguments, share: Share): Promise<Tally> =>
  hunt({
    ...options(args),
    ...hunting(args),
    from: share.from,
    seeds: share.seeds,
    mostFailures: args.keepGoing ? 1_000_000 : 1,
  });

async function swarm(args: Arguments): Promise<number> {
  const began = performance.now();
  const cpuBegan = process.cpuUsage();
  const tally = await (args.workers > 1 ? huntTogether(args) : playShare(args, args));
  const cpu = process.cpuUsage(cpuBegan);
  const cpuSeconds = (cpu.user + cpu.system) / 1e6;
  report(tally, { seconds: (performance.now() - began) / 1000, cpuSeconds }, args);
  for (const failure of tally.failures.slice(0, args.keepGoing ? 3 : 1))
    await explain(failure.seed, options(args));
  if (tally.failures.length > 0) return 1;
  const reasons = missed(new Set(tally.reasons.keys()), tally.schedules);
  if (reasons.length > 0) process.stderr.write(`${complaint(reasons, tally.schedules)}\n`);
  return reasons.length === 0 ? 0 : EXIT_MISSED;
}

const hunting = (args: Arguments): Pick<HuntOptions, "from" | "seeds" | "onRun"> => ({
  from: args.from,
  seeds: args.seeds,
  onRun: (run) => {
    args.current = run;
    if (args.trace) show(run);
  },
});

interface Spent {
  readonly seconds: number;
  /** On a busy machine the wall clock says little about what a schedule costs. */
  readonly cpuSeconds: number;
}

function report(tally: Tally, { seconds, cpuSeconds }: Spent, args: Arguments): void {
  const { schedules, promotions, fences, acknowledged, lost, lostAnswers, failures } = tally;
  const unreached = Object.keys(REASONS).filter((r) => !tally.reasons.has(r));
  if (args.json) {
    const edges = Object.fromEntries(tally.edges);
    say(
      JSON.stringify({
        ...tally,
        edges,
        reasons: Object.fromEntries(tally.reasons),
        unreached,
        seconds,
        cpuSeconds,
      }),
    );
    return;
  }
  say(
    `${schedules} schedules from seed ${args.from} in ${seconds.toFixed(1)} s, ${(schedules / cpuSeconds).toFixed(1)} for each second of one core`,
  );
  say(`  commit        ${process.env.UNDERSTUDY_COMMIT ?? "unknown"}`);
  say(`  promotions    ${promotions}`);
  say(`  fences        ${fences}`);
  say(`  lost answers  ${lostAnswers}`);
  say(
    `  rows          ${acknowledged} acknowledged, ${lost} lost as asynchronous replication allows`,
  );
  say(
    `  reasons       ${tally.reasons.size} of ${Object.keys(REASONS).length}; never: ${unreached.join(" ") || "none"}`,
  );
  say(`  reason edges  ${tally.edges.size}`);
  say(`  violations    ${failures.length}`);
  for (const f of failures) say(`    seed ${f.seed}: ${f.violations[0] ?? ""}`);
}

/** Prints the seed's shrunk schedule and what happened in it. */
async function explain(seed: number, o: SwarmOptions): Promise<void> {
  const story = storyOf(seed, o);
  const { violations } = await new StoryRun(story).play();
  const small = await shrink(story, violations[0] ?? "");
  say(`seed ${seed}: ${violations[0] ?? "nothing broke when played again"}`);
  for (const fault of small.faults)
    say(`  ${(fault.atMs / 1000).toFixed(3)} s  ${printFault(fault)}`);
  const run = new StoryRun(small);
  const lines = transcript(run.cluster, "story");
  await run.play();
  for (const line of lines) say(line);
}

function show(run: StoryRun): void {
  run.cluster.truth.listen(printing("trace", say));
}

async function playScenarios(args: Arguments): Promise<number> {
  const names = args.scenario === "all" ? args.stories.map((s) => s.name) : [args.scenario ?? ""];
  let failed = 0;
  for (const name of names) {
    const scenario = args.stories.find((s) => s.name === name);
    if (scenario === undefined) {
      say(`no scenario ${name}; there are: ${args.stories.map((s) => s.name).join(" ")}`);
      return 2;
    }
    const run = new StoryRun(storyOfScenario(scenario, { ...options(args), seed: args.from }));
    args.current = run;
    const lines = transcript(run.cluster, args.trace ? "trace" : "story");
    const result = await run.play();
    const missing = unmet(scenario.expect, result);
    if (args.trace || args.scenario !== "all") for (const line of lines) say(line);
    say(
      `${missing.length === 0 ? "ok  " : "FAIL"} ${name.padEnd(32)} longest pause ${Math.round(result.longestPauseMs)} ms`,
    );
    for (const text of missing) say(`       ${text}`);
    failed += missing.length === 0 ? 0 : 1;
  }
  return failed === 0 ? 0 : 1;
}

async function huntMutants(args: Arguments): Promise<number> {
  const wanted =
    args.mutant === "all"
      ? MUTANTS
      : [mutantNamed(args.mutant ?? "")].filter((m) => m !== undefined);
  if (wanted.length === 0) {
    say(`no mutant ${args.mutant}; there are: ${MUTANTS.map((m) => m.name).join(" ")}`);
    return 2;
  }
  let escaped = 0;
  for (const mutant of wanted) {
    const caught = await catchMutant(mutant, {
      factory: startNode,
      stories: args.stories,
      ...hunting(args),
    });
    if (caught === undefined) escaped += 1;
    const text =
      caught === undefined
        ? `ESCAPED ${args.seeds} schedules`
        : `seed ${caught.seed}: ${caught.what}`;
    say(`${mutant.name.padEnd(30)} ${text}`);
  }
  return escaped === 0 ? 0 : 1;
}
