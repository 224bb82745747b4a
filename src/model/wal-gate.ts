// What does PostgreSQL run to archive a file of its WAL? One small shell script, and one call over a socket.
//
// The script is written anew by each life of the worker, so that the server's setting stays the same over every upgrade
// of ours. It says yes only to the one answer that means it, and never answers with more than 1: above 125 PostgreSQL
// would restart its archiver and not count the failure.

/** Below the server user's own directory of a node: what belongs to the worker. */
export const vaultDir = (stateDir: string): string => `${stateDir}/server/vault`;
export const gateScript = (dir: string): string => `${dir}/gate`;
export const vaultSocket = (dir: string): string => `${dir}/vault.sock`;

/** How long a call may wait, in seconds: PostgreSQL's own stop waits for it. */
export const GATE_WAIT_S = 6;

/** One word of a shell command. */
export const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** PostgreSQL puts something in for each percent sign of a command. */
export const escaped = (text: string): string => text.replaceAll("%", "%%");

/**
 * The setting. A command of the user's own runs after ours, and only then PostgreSQL hears a yes. Where the user wanted
 * it on the primary alone (`archive_mode` was on, and is `always` because of us) a standby leaves it out.
 */
export function archiveCommand(dir: string, own: OwnArchiving | undefined): string {
  const ours = `${escaped(quoted(gateScript(dir)))} %f`;
  if (own === undefined) return ours;
  const theirs = own.onStandbys ? own.command : `test -f standby.signal || { ${own.command}; }`;
  return `${ours} && { ${theirs}; }`;
}

export interface OwnArchiving {
  readonly command: string;
  readonly onStandbys: boolean;
}

/** What the user's own parameters say about archiving; undefined when they archive nothing. */
export function ownArchiving(
  parameters: Readonly<Record<string, string>>,
): OwnArchiving | undefined {
  const command = parameters["archive_command"]?.trim() ?? "";
  const mode = parameters["archive_mode"]?.toLowerCase() ?? "off";
  if (command === "" || ["off", "false", "no", "0"].includes(mode)) return undefined;
  return { command, onStandbys: mode === "always" };
}

/**
 * Asks the worker and sets `answer`. `curl` where there is one, else Perl, which comes with Debian's base system: a call
 * costs a few milliseconds. A proxy of the environment is none of its business.
 */
export const asking = (socket: string, waitS: number): string => `
socket=${quoted(socket)}
if command -v curl >/dev/null 2>&1; then
  answer=$(curl -sS --noproxy '*' -m ${waitS} --unix-socket "$socket" "http://vault/$request" 2>&1)
else
  answer=$(perl -MIO::Socket::UNIX -e '
    alarm ${waitS};
    my $to = IO::Socket::UNIX->new(Peer => $ARGV[0]) or die "$ARGV[0]: $!\\n";
    print $to "GET /$ARGV[1] HTTP/1.0\\r\\n\\r\\n";
    my @lines = <$to>;
    print $lines[-1];
  ' "$socket" "$request" 2>&1)
fi`;

/** The script behind `archive_command`: 0 when the file is durable outside this node, else 1 and a line why. */
export const renderGate = (dir: string): string => `#!/bin/sh
# Written by Understudy: is this file of the WAL durable outside this node?
request="archive/$1"
${asking(vaultSocket(dir), GATE_WAIT_S).trim()}
[ "$answer" = "yes $1" ] && exit 0
echo "understudy keeps $1: $answer" >&2
exit 1
`;
