// What does recovery run to get a file of the WAL out of a repository? With a worker that reads ahead, or by hand.
import { endingOf } from "./repo-keys.ts";
import type { Packing } from "./repository.ts";
import { asking, escaped, quoted } from "./wal-gate.ts";

export const fetchScript = (dir: string): string => `${dir}/fetch`;
export const fetchSocket = (dir: string): string => `${dir}/fetch.sock`;
/** Where the worker lays down what recovery will ask for. */
export const fetchedDir = (dir: string): string => `${dir}/fetched`;

/** The setting while a worker listens below `dir`. */
export const restoreCommand = (dir: string): string => `${escaped(quoted(fetchScript(dir)))} %f %p`;

/** One request may wait for a distant store for so long. */
const FETCH_WAIT_S = 60;
const TRIES = 20;

/**
 * The script behind `restore_command`: 1 only when it is known that there is no such file. A hole, or a repository that
 * stays silent, ends recovery with 200 instead of ending it early and in silence.
 */
export const renderFetch = (dir: string): string => `#!/bin/sh
# Written by Understudy: lays the file of the WAL that recovery asks for where it wants it.
request="wal/$1"
tries=0
while :; do
${asking(fetchSocket(dir), FETCH_WAIT_S).trim()}
case "$answer" in
  "yes $1") exec mv ${quoted(fetchedDir(dir))}/"$1" "$2" ;;
  "none $1") exit 1 ;;
  "hole $1"*) break ;;
esac
tries=$((tries + 1))
[ "$tries" -lt ${TRIES} ] || break
sleep 1
done
echo "understudy cannot fetch $1: $answer" >&2
exit 200
`;

export interface ByHand {
  /** The place of the cluster in a directory: what holds `wal/`. */
  readonly root: string;
  readonly packing: Packing;
  /** A file of private keys, when the objects are encrypted. */
  readonly identityFile: string | undefined;
}

/**
 * The setting that needs nothing of ours: `sh`, `zstd`, and `age` where objects are encrypted. It tells the end of the
 * WAL (1) from a hole and from a directory that is not there (200) as well.
 */
export function restoreCommandByHand({ root, packing, identityFile }: ByHand): string {
  const opened = packing.encrypted ? `age -d -i ${quoted(identityFile ?? "")} "$o" | ` : "";
  const from = packing.encrypted ? "" : ' "$o"';
  const plain: Readonly<Record<Packing["compression"], string>> = {
    zstd: `zstd -q -d -c${from}`,
    gzip: `gzip -d -c${from}`,
    none: `cat${from}`,
  };
  const command = [
    `w=${quoted(`${root}/wal`)}`,
    `[ -d "$w" ] || exit 200`,
    `case %f in *.history) exec cp "$w/%f" %p ;; esac`,
    `t="$w/$(printf %%.8s %f)"; o="$t/%f${endingOf(packing)}"`,
    `if [ -e "$o" ]; then ${opened}${plain[packing.compression]} > %p || exit 200; exit 0; fi`,
    `ls "$t" 2>/dev/null | awk 'substr($0, 1, 24) > "%f" { later = 1 } END { exit later ? 200 : 1 }'`,
  ];
  return command.join("; ");
}
