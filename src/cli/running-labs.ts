// Which labs run on this machine? (The lab registers itself in one small file a lab.)
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

export interface RunningLab {
  readonly name: string;
  readonly dir: string;
  readonly file: string;
  readonly members: readonly {
    readonly name: string;
    readonly apiUrl: string;
    readonly configFile: string;
  }[];
}

const registryDir = (): string => join(process.env["XDG_RUNTIME_DIR"] ?? "/tmp", "understudy-labs");

/** Labs of this user; files of others in a shared folder are not believed. */
export function runningLabs(dir = registryDir()): readonly RunningLab[] {
  const names = filesIn(dir).filter((name) => name.endsWith(".json"));
  return names.flatMap((name) => readLab(join(dir, name)) ?? []);
}

function filesIn(dir: string): readonly string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}

function readLab(file: string): RunningLab | undefined {
  try {
    if (statSync(file).uid !== process.getuid?.()) return undefined;
    const lab = JSON.parse(readFileSync(file, "utf8")) as Partial<RunningLab>;
    if (typeof lab.name !== "string" || !Array.isArray(lab.members)) return undefined;
    return { name: lab.name, dir: lab.dir ?? "", file, members: lab.members };
  } catch {
    return undefined;
  }
}
