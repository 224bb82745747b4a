// How does the agent have its host looked at? By a program of its own, which takes its memory with it when it ends.
import { run } from "../adapters/system/spawn.ts";
import type { Surroundings } from "../model/doctor/facts.ts";
import { AppError } from "../model/error.ts";
import { printAddress } from "../model/settings-address.ts";
import type { Ms } from "../model/time.ts";
import type { Doctor, View } from "./api/node-view.ts";
import { overridingVariables, programBeside } from "./compose-shared.ts";

/** Twenty databases, each with a few bounded statements. */
const LOOK_LIMIT_MS: Ms = 40_000;
const LARGEST_ANSWER = 8 * 1024 * 1024;

/** Looks when asked, one look at a time: whoever asks meanwhile gets the same answer. */
export function createDoctor(file: string, view: () => View): Doctor {
  let looking: Promise<string> | undefined;
  return async (wish) => {
    if (wish.fix) return look(file, view(), ["--fix"]);
    looking ??= look(file, view(), []).finally(() => {
      looking = undefined;
    });
    return looking;
  };
}

async function look(file: string, view: View, flags: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await run({
    program: process.execPath,
    args: [programBeside("doctor.mjs"), file, ...flags],
    timeoutMs: LOOK_LIMIT_MS,
    maxOutputBytes: LARGEST_ANSWER,
    input: JSON.stringify(surroundings(view)),
    environment: overridingVariables(),
  });
  if (code === 0) return stdout;
  const last = stderr.trim().split("\n").at(-1) ?? "";
  throw new AppError("NOT_POSSIBLE", "looking at this host", last);
}

/** As the store tells of them: they are asked from here, for their answers are what this node lives on. */
function surroundings({ cluster, member, vault }: View): Surroundings {
  const others = (cluster?.seen.members ?? []).filter(({ name }) => name !== member.name);
  return {
    peers: others.flatMap(({ name, apiUrl, host, port }) => [
      ...(apiUrl === "" ? [] : [{ name, door: "rest" as const, address: restAddress(apiUrl) }]),
      { name, door: "postgres" as const, address: printAddress({ host, port }) },
    ]),
    routers: (cluster?.seen.routers ?? []).map(({ name, apiUrl }) => ({ name, apiUrl })),
    held: (vault?.repositories ?? []).flatMap(({ name, base }) =>
      base === undefined ? [] : [{ name, ...base }],
    ),
  };
}

function restAddress(apiUrl: string): string {
  const { hostname, port, protocol } = new URL(apiUrl);
  const usual = protocol === "https:" ? "443" : "80";
  return `${hostname}:${port === "" ? usual : port}`;
}
