// How does a shell complete our commands? From the tree of commands itself, so that no list grows stale beside it.
//
// The scripts are static: only a member's name is asked for, with a limit, so that Tab never hangs on a dead cluster.
import type { Command } from "commander";
import { CliFailure, EXIT } from "./exit.ts";
import { look } from "./rest.ts";
import type { Shared } from "./shared.ts";
import { findTarget } from "./target.ts";
import { print } from "./terminal.ts";

const MEMBERS_LIMIT_MS = 500;
const MEMBERS = "complete-members";

/** One command with what may follow it. */
export interface Place {
  /** The words that lead to it, without the program's own name: `config show`. */
  readonly path: string;
  readonly words: readonly string[];
  /** A member's name may follow. */
  readonly wantsMember: boolean;
}

export function placesOf(command: Command, path = ""): readonly Place[] {
  const inner = command.commands.filter((child) => child.name() !== MEMBERS);
  const options = command.options.flatMap(({ long, short }) => [long ?? short ?? ""]);
  const wantsMember =
    command.registeredArguments.some((argument) => argument.name().startsWith("member")) ||
    command.options.some(({ flags }) => flags.includes("<member>"));
  const own = { path, words: [...inner.map((child) => child.name()), ...options], wantsMember };
  const below = inner.flatMap((child) => placesOf(child, `${path} ${child.name()}`.trim()));
  return [own, ...below];
}

export function bashScript(places: readonly Place[]): string {
  const paths = places.filter(({ path }) => path !== "").map(({ path }) => `"${path}"`);
  const cases = places.map(({ path, words, wantsMember }) => {
    const names = wantsMember ? ` $(understudy ${MEMBERS} 2>/dev/null)` : "";
    return `    "${path}") words="${words.join(" ")}${names}" ;;`;
  });
  return [
    "# understudy completion bash: source it, or put it into /etc/bash_completion.d/",
    "_understudy() {",
    '  local cur="${COMP_WORDS[COMP_CWORD]}" path="" next i words=""',
    "  for ((i = 1; i < COMP_CWORD; i++)); do",
    '    next="${path:+$path }${COMP_WORDS[i]}"',
    '    case "$next" in',
    `      ${paths.join(" | ")}) path="$next" ;;`,
    "    esac",
    "  done",
    '  case "$path" in',
    ...cases,
    "  esac",
    '  COMPREPLY=($(compgen -W "$words" -- "$cur"))',
    "}",
    "complete -o default -F _understudy understudy",
  ].join("\n");
}

/** zsh speaks bash's form of it when asked to. */
export const zshScript = (places: readonly Place[]): string =>
  [
    "# understudy completion zsh: source it from ~/.zshrc",
    "autoload -U +X compinit && compinit",
    "autoload -U +X bashcompinit && bashcompinit",
    bashScript(places),
  ].join("\n");

export function fishScript(places: readonly Place[]): string {
  const lines = places.flatMap(({ path, words, wantsMember }) => {
    const when = fishCondition(path, words);
    const commands = words.filter((word) => !word.startsWith("-"));
    const options = words.filter((word) => word.startsWith("--"));
    const names = wantsMember ? [`(understudy ${MEMBERS} 2>/dev/null)`] : [];
    const follow = [...commands, ...names].join(" ");
    return [
      ...(follow === "" ? [] : [`complete -c understudy -f -n '${when}' -a '${follow}'`]),
      ...options.map((option) => `complete -c understudy -n '${when}' -l ${option.slice(2)}`),
    ];
  });
  return ["# understudy completion fish: put it into ~/.config/fish/completions/", ...lines].join(
    "\n",
  );
}

function fishCondition(path: string, words: readonly string[]): string {
  if (path === "") return "__fish_use_subcommand";
  const seen = path.split(" ").map((word) => `__fish_seen_subcommand_from ${word}`);
  const inner = words.filter((word) => !word.startsWith("-"));
  const not = inner.length === 0 ? [] : [`not __fish_seen_subcommand_from ${inner.join(" ")}`];
  return [...seen, ...not].join("; and ");
}

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript } as const;

function completion(program: Command) {
  return (shell: string): void => {
    const script = Object.entries(SCRIPTS).find(([name]) => name === shell)?.[1];
    if (script === undefined) {
      const shells = Object.keys(SCRIPTS).join(", ");
      throw new CliFailure(EXIT.usage, `no script for ${shell}`, `there are ${shells}`);
    }
    print(script(placesOf(program)));
  };
}

/** Names, one a line; none at all rather than a wait or a complaint in the middle of somebody's typing. */
async function members(_: unknown, command: Command): Promise<void> {
  const late = new Promise<undefined>((resolve) => {
    setTimeout(() => resolve(undefined), MEMBERS_LIMIT_MS).unref();
  });
  const { config } = command.optsWithGlobals<Shared>();
  const asked = Promise.resolve().then(() => look(findTarget(config)));
  const status = await Promise.race([asked, late]).catch(() => undefined);
  for (const { name } of status?.members ?? []) print(name);
  // A member that does not answer must not hold the prompt back either.
  process.exit(EXIT.ok);
}

export function registerCompletion(program: Command): void {
  program
    .command("completion")
    .argument("<shell>", "bash, zsh or fish")
    .description("print a script that completes commands, options and members in a shell")
    .action(completion(program));
  program
    .command(MEMBERS, { hidden: true })
    .description("the members' names for the completion of a shell")
    .action(members);
}
