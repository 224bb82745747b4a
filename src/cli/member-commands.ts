// Commands for single members: reload, reinit.
import { setTimeout as sleep } from "node:timers/promises";
import type { Command } from "commander";
import { printSpan } from "../model/amounts.ts";
import type { StatusMember } from "../model/wire/status.ts";
import { CliFailure, EXIT, failureOf } from "./exit.ts";
import { change, look, memberNamed, statusOf } from "./rest.ts";
import { type Shared, targetOf } from "./shared.ts";
import type { Target } from "./target.ts";
import { agreeByName, print, say } from "./terminal.ts";

const REBUILD_LIMIT_MS = 24 * 3_600_000;
const POLL_MS = 1_000;

/** All named members, or all there are; those that fail don't keep the others from it. */
async function reload(names: readonly string[], _: unknown, command: Command): Promise<void> {
  const target = targetOf(command.optsWithGlobals<Shared>());
  const status = await look(target);
  const members =
    names.length === 0 ? status.members : names.map((name) => memberNamed(status, name));
  const failed: string[] = [];
  for (const { name, apiUrl } of members) {
    try {
      const answer = await change(target, { method: "POST", url: `${apiUrl}/reload` });
      print(`${name}: ${answer.body}`);
    } catch (error) {
      failed.push(name);
      say(`${name}: ${failureOf(error).lines.join(": ")}`);
    }
  }
  if (failed.length === 0) return;
  const exit = failed.length === members.length ? EXIT.unreachable : EXIT.partial;
  throw new CliFailure(exit, `not reloaded: ${failed.join(", ")}`);
}

interface ReinitFlags extends Shared {
  readonly confirm?: string;
  readonly fromLeader?: boolean;
  readonly cancelRunning?: boolean;
  readonly wait: boolean;
}

async function reinit(name: string, _: unknown, command: Command): Promise<void> {
  const flags = command.optsWithGlobals<ReinitFlags>();
  const target = targetOf(flags);
  const member = memberNamed(await look(target), name);
  await agreeByName({
    name,
    consequence: `${name}: its data is replaced by a fresh copy of the primary's.`,
    confirmed: flags.confirm,
  });
  const body = {
    ...(flags.cancelRunning === true ? { force: true } : {}),
    ...(flags.fromLeader === true ? { from_leader: true } : {}),
  };
  const url = `${member.apiUrl}/reinitialize`;
  const answer = await change(target, { method: "POST", url, body, timeoutMs: 60_000 });
  print(`${name}: ${answer.body}`);
  if (flags.wait) await followRebuild(target, member);
}

/** Tells of every change until the member streams again. Ctrl-C leaves the rebuild going. */
async function followRebuild(target: Target, member: StatusMember): Promise<void> {
  const startedAt = Date.now();
  let told = "";
  while (Date.now() - startedAt < REBUILD_LIMIT_MS) {
    await sleep(POLL_MS);
    const status = await statusOf(target, member.apiUrl).catch(() => undefined);
    const own = status?.members.find(({ name }) => name === member.name);
    const job = status?.node.job;
    const because = status?.node.because;
    const now =
      job === undefined
        ? (because?.detail ?? because?.sentence ?? "its agent does not answer")
        : `${job.name} ${job.progress ?? ""}`.trim();
    if (now !== told) say(`${member.name}  ${now}`);
    told = now;
    // Streaming alone proves nothing, the old data streamed too: it must have begun to follow since we asked.
    const follows = because?.reason === "following" && because.forMs < Date.now() - startedAt;
    const isBack = follows && own?.replicationState === "streaming";
    if (isBack) {
      print(`${member.name}: streams again after ${printSpan(Date.now() - startedAt)}`);
      return;
    }
  }
  throw new CliFailure(
    EXIT.timedOut,
    `${member.name} is still being rebuilt`,
    "it goes on by itself",
  );
}

export function registerMembers(program: Command): void {
  program
    .command("reload")
    .argument("[members...]", "which members; all when left out")
    .description("read the nodes' files and the server's settings again")
    .action(reload);
  program
    .command("reinit")
    .argument("<member>", "which standby")
    .description("rebuild a standby from a fresh copy; the old data goes when the copy is complete")
    .option("--confirm <member>", "its name once more, instead of typing it")
    .option("--from-leader", "copy from the leader, not from a standby")
    .option("--cancel-running", "give up a long step that is running there")
    .option("--no-wait", "do not wait until it streams again")
    .action(reinit);
}
