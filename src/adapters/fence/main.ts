// The fence process: parent of the postmaster and dead man's switch. It waits, and it ends the server at the deadline.
import type { Ms } from "../../model/time.ts";
import { createBootClock } from "../system/boot-clock.ts";
import { Door } from "./door.ts";
import type { FenceArguments } from "./launch.ts";
import { dropLock, takeLock } from "./lock.ts";
import { rehearse } from "./rehearsal.ts";
import { say } from "./say.ts";
import { Warden } from "./warden.ts";

const EXIT_BAD_ARGUMENTS = 2;
const EXIT_LOCKED = 3;
const EXIT_BROKEN = 70;

async function main(text: string | undefined): Promise<void> {
  const args = parseArguments(text);
  if (args === undefined) {
    say("the fence is started by the agent, with one JSON argument");
    process.exit(EXIT_BAD_ARGUMENTS);
  }
  process.title = `understudy-fence ${args.dataDir}`;
  process.umask(0o077);
  process.on("SIGHUP", () => undefined);
  if (!(await takeLock(args.stateDir))) {
    say("another fence guards this directory");
    process.exit(EXIT_LOCKED);
  }
  await guard(args);
}

async function guard(args: FenceArguments): Promise<void> {
  const now = createBootClock();
  let idle: NodeJS.Timeout | undefined;
  let isLeaving = false;

  const leave = (code: number): void => {
    door.remove();
    dropLock(args.stateDir);
    process.exit(code);
  };
  const end = (code: number): void => {
    if (isLeaving) return;
    isLeaving = true;
    void warden.endAll().finally(() => leave(code));
  };
  const onChange = (): void => {
    clearTimeout(idle);
    if (warden.isIdle && !door.hasAgent) idle = leaveAfter(args.idleExitMs, () => leave(0));
  };

  const warden = new Warden({ args, now, say, tell: (notice) => door.tell(notice), onChange });
  const door = new Door({
    stateDir: args.stateDir,
    answer: (request, generation) => warden.answer(request, generation),
    refuse: ({ id }, generation) => ({
      id,
      ok: false,
      status: warden.status(generation),
      code: "NAME_IN_USE",
      why: "a newer agent commands the fence",
    }),
    onChange,
    onQuit: () => leave(0),
  });

  process.on("SIGTERM", () => end(0));
  process.on("SIGINT", () => end(0));
  // A broken fence guards nothing, so it must not leave a server behind.
  process.on("uncaughtException", (error) => {
    say("the fence is broken", { error: error.stack ?? String(error) });
    end(EXIT_BROKEN);
  });
  await rehearse(args.dataDir, now);
  await door.open();
  onChange();
}

function leaveAfter(ms: Ms, leave: () => void): NodeJS.Timeout {
  return setTimeout(() => {
    say("nothing to guard and nobody to serve: the fence leaves");
    leave();
  }, ms);
}

function parseArguments(text: string | undefined): FenceArguments | undefined {
  try {
    return JSON.parse(text ?? "") as FenceArguments;
  } catch {
    return undefined;
  }
}

await main(process.argv[2]);
