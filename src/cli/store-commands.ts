// A store that has lost the cluster, or was set back: tell it again what the last primary knows.
import type { Command } from "commander";
import { isObject } from "../model/wire/json.ts";
import { CliFailure, EXIT } from "./exit.ts";
import { call, plainJson } from "./rest.ts";
import { type Shared, targetOf } from "./shared.ts";
import type { Target } from "./target.ts";
import { agreeByName, print, printJsonText, width, wrap } from "./terminal.ts";

/** The member asks the store and all the others first. */
const LIMIT_MS = 15_000;

interface Flags extends Shared {
  readonly member?: string;
  readonly without?: readonly string[];
  readonly confirm?: string;
  readonly dryRun?: boolean;
}

/** What a member would write, or has written. */
interface Plan {
  readonly url: string;
  readonly leader: string;
  readonly text: string;
  readonly json: unknown;
}

async function repopulate(_: unknown, command: Command): Promise<void> {
  const flags = command.optsWithGlobals<Flags>();
  const target = targetOf(flags);
  const plan = await possiblePlan(target, flags);
  if (flags.dryRun === true) return show(flags, plan);
  if (flags.json !== true) print(wrap(plan.text, width()));
  await agreeByName({
    name: target.scope,
    consequence: `The cluster goes on with what ${plan.leader} has. What another member has beyond that is lost.`,
    confirmed: flags.confirm,
  });
  const done = await asked(target, plan.url, { without: flags.without ?? [], dry_run: false });
  if (typeof done === "string") throw refusal(done);
  show(flags, done);
}

function show(flags: Flags, plan: Plan): void {
  if (flags.json === true) printJsonText(plan.json);
  else print(wrap(plan.text, width()));
}

/** The member that may do it: of a node's file that very member, of a lab the one that is not refused. */
async function possiblePlan(target: Target, { without = [], member }: Flags): Promise<Plan> {
  const answers = await Promise.all(
    target.urls.map((url) => asked(target, url, { without, dry_run: true })),
  );
  const plans = answers.filter((answer) => typeof answer !== "string");
  const wanted = plans.find((plan) => member === undefined || plan.leader === member);
  if (wanted !== undefined) return wanted;
  const [first] = plans;
  if (first !== undefined)
    throw refusal(`${member} may not do it\nit is ${first.leader} that led last`);
  const whys = answers.filter((answer) => typeof answer === "string");
  throw refusal([...new Set(whys)].join("\n"));
}

const refusal = (why: string): CliFailure => {
  const [first = "", ...more] = why.split("\n");
  return new CliFailure(EXIT.precondition, "the store is not repopulated", first, ...more);
};

/** A plan, or the sentence of a refusal. */
async function asked(
  target: Target,
  url: string,
  wish: { readonly without: readonly string[]; readonly dry_run: boolean },
): Promise<Plan | string> {
  const body = { scope: target.scope, ...wish };
  const answer = await call(target, {
    method: "POST",
    url: `${url}/understudy/store/repopulate`,
    body,
    timeoutMs: LIMIT_MS,
  }).catch((error: unknown) => `${url}: ${error instanceof Error ? error.message : String(error)}`);
  if (typeof answer === "string") return answer;
  const json = plainJson(answer.body);
  if (answer.status >= 300 || !isObject(json)) return answer.body;
  return { url, leader: String(json["leader"]), text: sentence(json), json };
}

function sentence(json: Readonly<Record<string, unknown>>): string {
  const { written, scope, leader, systemId, termsAbove, branches } = json;
  const newest = Array.isArray(branches) ? (branches.at(-1) as unknown) : undefined;
  const timeline = isObject(newest) ? String(newest["timeline"]) : "?";
  const what = `cluster ${String(scope)} (${String(systemId)}), its last configuration, its history up to timeline ${timeline}, terms above ${String(termsAbove)}, and ${String(leader)} as the only one that may lead until it has listed the others`;
  return written === true
    ? `The store knows again: ${what}. Look at understudy status.`
    : `The store would be told: ${what}.`;
}

const list = (value: string, before: readonly string[] = []): readonly string[] => [
  ...before,
  value,
];

export function registerStore(program: Command): void {
  const store = program
    .command("store")
    .description("the consensus store that the members rely on");
  store
    .command("repopulate")
    .description(
      "tell a store that was lost or set back about the cluster, by the member that led last",
    )
    .option("--member <member>", "which; else the one of the file, or of the lab the one that may")
    .option(
      "--without <member>",
      "a member that is gone for good and cannot answer; repeatable",
      list,
    )
    .option("--dry-run", "only say what would be written")
    .option("--confirm <scope>", "the cluster's name, where nobody can be asked")
    .option("--json", "for programs")
    .action(repopulate);
}
