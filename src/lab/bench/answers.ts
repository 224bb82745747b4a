// How long does a person wait for a screen? The command line as it is typed, its start included, on an idle lab of its own.
import { execFile } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Ms } from "../../model/time.ts";
import { usageOf } from "../processes.ts";
import { requireBundles } from "../programs.ts";
import type { LabRecord } from "../record.ts";
import { inSeconds } from "../report.ts";
import { median, middleAndWorst } from "../statistics.ts";
import { EXIT_INTERRUPTED, labLeft, stopSignal } from "../stopping.ts";
import type { LabNeeds } from "./cases.ts";
import { describeMachine } from "./machine.ts";
import { BENCH_LAB, openStand, say } from "./stand.ts";

export interface AnswerWish {
  readonly runs: number;
  readonly out: string;
}

interface Answer {
  readonly command: string;
  readonly bound: string;
  readonly tookMs: Ms[];
  /** The processor's time of all runs. */
  cpuMs: Ms;
}

const NEEDS: LabNeeds = { ttlSeconds: 10, net: "loopback", set: {} };
const ANSWER_LIMIT_MS: Ms = 10_000;

/** In turns with the mere start of the program, so that a busy machine shows in both. */
export async function benchAnswers({ runs, out }: AnswerWish): Promise<number> {
  const stop = stopSignal({
    say,
    now: "this run is the last, then its lab is taken down",
    left: () => labLeft(BENCH_LAB),
  });
  const answers: readonly Answer[] = [
    { command: "status", bound: "≤ 0.3 s", tookMs: [], cpuMs: 0 },
    { command: "version", bound: "none: the start of a program", tookMs: [], cpuMs: 0 },
  ];
  const stand = openStand(NEEDS, false);
  try {
    const lab = await stand.ready();
    for (let run = 0; run < runs && !stop.aborted; run++)
      for (const answer of answers) await measure(lab, answer);
  } finally {
    await stand.close();
  }
  const result = { machine: describeMachine(), answers };
  mkdirSync(dirname(out), { recursive: true });
  writeFileSync(out, `${JSON.stringify(result, null, 2)}\n`);
  console.log(markdown(answers));
  return stop.aborted ? EXIT_INTERRUPTED : 0;
}

async function measure(lab: LabRecord, answer: Answer): Promise<void> {
  const [member] = lab.members;
  const cli = join(requireBundles().folder, "cli.mjs");
  const args = [cli, "-c", member?.configFile ?? "", answer.command];
  const before = childrenCpuMs();
  const begun = performance.now();
  await new Promise<void>((resolve, reject) => {
    execFile(process.execPath, args, { timeout: ANSWER_LIMIT_MS }, (error) =>
      error === null ? resolve() : reject(error),
    );
  });
  answer.tookMs.push(Math.round(performance.now() - begun));
  answer.cpuMs += childrenCpuMs() - before;
  say(`${answer.command}: ${inSeconds(answer.tookMs.at(-1) ?? 0)}`);
}

const childrenCpuMs = (): Ms => usageOf(process.pid)?.childrenCpuMs ?? 0;

const markdown = (answers: readonly Answer[]): string =>
  [
    "| command | runs | bound | by the clock: median / worst | fastest | processor's time each |",
    "|---|---|---|---|---|---|",
    ...answers.map(({ command, bound, tookMs, cpuMs }) =>
      [
        `| \`understudy ${command}\``,
        String(tookMs.length),
        bound,
        middleAndWorst(tookMs),
        inSeconds(Math.min(...tookMs)),
        `${inSeconds(cpuMs / tookMs.length)} |`,
      ].join(" | "),
    ),
    "",
    `Beyond the start of a program, \`status\` took ${inSeconds(beyondStart(answers))} (median).`,
  ].join("\n");

const beyondStart = ([status, version]: readonly Answer[]): Ms =>
  median(status?.tookMs ?? []) - median(version?.tookMs ?? []);
