// The lab's own program: `understudy lab …` runs it, so that the command line itself stays small.
import { randomInt } from "node:crypto";
import { Command, Option } from "commander";
import { AppError } from "../model/error.ts";
import { benchAnswers } from "./bench/answers.ts";
import { benchBackups } from "./bench/backup-bench.ts";
import { bench } from "./bench/bench.ts";
import { CASES } from "./bench/cases.ts";
import { benchRouters, ROUTER_PARTS } from "./bench/router-bench.ts";
import { type CalmWish, calm } from "./calm/calm.ts";
import { chaos } from "./chaos.ts";
import { down, dsn, status, up } from "./commands.ts";
import { DISK_KINDS } from "./disks.ts";
import { FAULTS } from "./faults.ts";
import { defaultDir, USUAL_LAB } from "./layout.ts";
import { type LoadWish, load } from "./load-command.ts";
import { LINKS } from "./namespaces.ts";
import { positive, setting, share, someOf, whole } from "./option-values.ts";
import { USUAL_FAULT } from "./order.ts";
import { type LabChoice, type LabRecord, type Net, requireLab } from "./record.ts";
import { parseRoute, runRelay } from "./relay.ts";
import { replayFile } from "./replay.ts";
import { PATHS } from "./routers.ts";
import { soakCommand } from "./soak/command.ts";
import { MODES, type Mode } from "./soak/loss.ts";
import { TROUBLES } from "./soak/troubles.ts";
import { EXIT_INTERRUPTED } from "./stopping.ts";
import { PARTIES, type Party, WAYS, type Way } from "./walls.ts";

const program = new Command("understudy lab")
  .description("a real cluster on this machine, to try, to break and to measure")
  .showSuggestionAfterError()
  .exitOverride()
  .configureHelp({ showGlobalOptions: true });

const KINDS = TROUBLES.map(({ kind }) => kind);
const CASE_IDS = CASES.map(({ id }) => id);

/** Commands answer their exit code; failures are told in three lines. */
const runs =
  <A extends unknown[]>(command: (...args: A) => Promise<number>) =>
  async (...args: A): Promise<void> => {
    process.exitCode = await command(...args).catch(explain);
  };

program
  .command("up")
  .description("start a lab and wait until it is healthy; it lives on until `lab down`")
  .option("--name <name>", "more than one lab can run", USUAL_LAB.name)
  .option("--nodes <n>", "PostgreSQL nodes", whole, USUAL_LAB.nodes)
  .option("--etcd <n>", "etcd members", whole, USUAL_LAB.etcd)
  .option(
    "--routers <n>",
    "hosts with PgBouncer and HAProxy for clients (1; none with --follow)",
    whole,
  )
  .option("--report <node>", "this node is set apart for reports")
  .option("--etcd-apart", "etcd members get hosts of their own", false)
  .option("--dir <dir>", "where everything goes")
  .option("--ttl <seconds>", "how long a lease lasts", positive, USUAL_LAB.ttlSeconds)
  .option("--set <key=value>", "a server parameter or a key of the configuration", setting, {})
  .option("--backup", "WAL and backups go into two repositories beside the nodes", false)
  .option(
    "--schedules",
    "with --backup: backups and drills run by themselves, the first at once",
    false,
  )
  .option("--follow <lab>", "a second site: this lab follows the one of that name")
  .addOption(
    new Option("--net <kind>", "addresses on loopback, or a network namespace for each node")
      .choices(["loopback", "namespaces"])
      .default(USUAL_LAB.net),
  )
  .option("--availability", "the routers measure availability by writes of their own", false)
  .option("--wait <seconds>", "how long a step may take", positive, USUAL_LAB.waitSeconds)
  .option("--disk <megabytes>", "give each node a small disk of its own (root)", whole)
  .addOption(
    new Option("--disk-kind <kind>", "in memory, or in a file: only that can be slow")
      .choices(DISK_KINDS)
      .default(USUAL_LAB.diskKind),
  )
  .option("--json", "for programs", false)
  .action(
    runs(async (o: UpFlags) =>
      up(
        {
          name: o.name,
          dir: o.dir ?? defaultDir(o.name),
          nodes: o.nodes,
          etcd: o.etcd,
          etcdApart: o.etcdApart,
          routers: o.routers ?? (o.follow === undefined ? 1 : 0),
          report: o.report,
          net: o.net,
          ttlSeconds: o.ttl,
          set: o.set,
          follows: o.follow === undefined ? undefined : requireLab({ name: o.follow }),
          backup: o.backup || o.schedules,
          schedules: o.schedules,
          diskMegabytes: o.disk,
          diskKind: o.diskKind,
          availability: o.availability,
          waitSeconds: o.wait,
        },
        o,
      ),
    ),
  );

interface UpFlags {
  readonly availability: boolean;
  readonly name: string;
  readonly backup: boolean;
  readonly schedules: boolean;
  readonly nodes: number;
  readonly etcd: number;
  readonly etcdApart: boolean;
  readonly routers?: number;
  readonly report?: string;
  readonly dir?: string;
  readonly ttl: number;
  readonly set: Record<string, string>;
  readonly follow?: string;
  readonly net: Net;
  readonly disk?: number;
  readonly diskKind: LabRecord["diskKind"];
  readonly wait: number;
  readonly json: boolean;
}

type Flags = LabChoice & { readonly json: boolean };

const onLab = (name: string, description: string): Command =>
  program
    .command(name)
    .description(description)
    .option("--name <name>", "which lab, when there are several")
    .option("--dir <dir>", "the lab in this directory")
    .option("--json", "for programs", false);

onLab("status", "each process with its node, role, pid, address and log").action(
  runs((o: Flags) => status(o, o)),
);

onLab("dsn", "the connection string that finds the primary, or one node's or route's own")
  .argument("[name]", "a node; or app, app_ro, app_report (pooled), write, read, report (balanced)")
  .action(runs((name: string | undefined, o: Flags) => dsn(o, name)));

onLab("down", "end a lab and remove what it made, and nothing else").action(
  runs((o: Flags) => down(o, o)),
);

onLab("load", "write for a while; tells the longest pause and looks every promised row up")
  .option("--seconds <s>", "how long", positive, 30)
  .option("--workers <n>", "clients that write at the same time", whole, 4)
  .option("--rate <n>", "rows per second of each client", positive, 50)
  .addOption(
    new Option("--path <path>", "straight to the members, or through a router's pooler or balancer")
      .choices([...PATHS, "all"])
      .default("direct"),
  )
  .action(runs((o: Flags & LoadWish) => load(o, o, o)));

const faults = Object.entries(FAULTS).map(
  ([verb, { summary }]) => `  ${verb.padEnd(22)}${summary}`,
);

interface ChaosFlags extends Flags {
  readonly withEtcd: boolean;
  readonly after: number;
  readonly link: string;
  readonly from: readonly Party[];
  readonly to?: string;
  readonly way: Way;
  readonly closed: boolean;
  readonly silent: boolean;
  readonly share: number;
  readonly kbit: number;
  readonly iops: number;
  readonly cpu: number;
  readonly delay: number;
  readonly for?: number;
  readonly quiet: boolean;
  readonly probe: boolean;
}

onLab("chaos", "make one fault under load and report what it cost")
  .argument("<fault>", "one of those below")
  .argument("[node]", "whom it hits; by default the primary, or every etcd member")
  .option("--with-etcd", "kill-node: the etcd member of that host dies too", false)
  .option("--after <s>", "restart-agent: how long it stays away", positive, 2)
  .addOption(
    new Option("--link <link>", "cut, heal, slow-link: which")
      .choices([...LINKS, "both"])
      .default("both"),
  )
  .option("--from <parties>", `cut, heal: some of ${PARTIES.join(",")}`, someOf(PARTIES), [])
  .option("--to <node>", "cut, heal: only from this other node")
  .addOption(
    new Option("--way <way>", "cut: packets that arrive, that leave, or both")
      .choices(WAYS)
      .default("both"),
  )
  .option("--closed", "cut: both ends get a reset instead of silence", false)
  .option("--silent", "kill-node: no reset leaves it, its peers see silence", false)
  .option("--share <part>", "lose-packets: between 0 and 1", share, USUAL_FAULT.share)
  .option("--kbit <n>", "slow-link: kilobits a second", positive, USUAL_FAULT.kbit)
  .option("--delay <ms>", "delay: how long, each way", whole, USUAL_FAULT.delayMs)
  .option("--iops <n>", "slow-disk: writes a second", whole, USUAL_FAULT.iops)
  .option("--cpu <percent>", "slow-replay: of one processor", whole, USUAL_FAULT.cpuPercent)
  .option("--for <s>", "take the fault back after so long, and go on measuring", positive)
  .option("--probe", "ask every server directly too: are there ever two writers?", false)
  .option("--quiet", "only make the fault, measure nothing", false)
  .addHelpText("after", `\nFaults:\n${faults.join("\n")}`)
  .action(
    runs((verb: string, node: string | undefined, o: ChaosFlags) =>
      chaos(
        o,
        {
          ...USUAL_FAULT,
          verb,
          node,
          withEtcd: o.withEtcd,
          awayMs: o.after * 1000,
          links: LINKS.filter((link) => o.link === "both" || o.link === link),
          from: o.from,
          to: o.to,
          way: o.way,
          fate: o.closed ? "closed" : "silent",
          silent: o.silent,
          share: o.share,
          kbit: o.kbit,
          iops: o.iops,
          cpuPercent: o.cpu,
          delayMs: o.delay,
          forMs: o.for === undefined ? undefined : o.for * 1000,
          quiet: o.quiet,
          probe: o.probe,
        },
        o,
      ),
    ),
  );

interface SoakFlags {
  readonly name: string;
  readonly minutes: number;
  readonly seed: number;
  readonly mode: readonly Mode[];
  readonly nodes: number;
  readonly ttl: number;
  readonly failovers?: number;
  readonly book?: string;
  readonly only: readonly string[];
  readonly set: Record<string, string>;
  readonly json: boolean;
}

program
  .command("soak")
  .description("random faults from a seed on a lab of its own, under load; ends with a verdict")
  .requiredOption("--minutes <n>", "no new fault after so many minutes", positive)
  .option("--seed <s>", "the same seed plays the same faults", whole, randomInt(1_000_000))
  .option("--mode <modes>", `synchronous_mode: some of ${MODES.join(",")}`, someOf(MODES), ["off"])
  .option("--failovers <n>", "only what leads to a failover, until each kind has so many", whole)
  .option("--book <file>", "keeps the rounds of several runs, which count together")
  .option("--name <name>", "of the lab", "soak")
  .option("--nodes <n>", "PostgreSQL nodes", whole, USUAL_LAB.nodes)
  .option("--ttl <seconds>", "how long a lease lasts", positive, USUAL_LAB.ttlSeconds)
  .option("--only <kinds>", `some of ${KINDS.join(",")}`, someOf(KINDS), [])
  .option("--set <key=value>", "a server parameter or a key of the configuration", setting, {})
  .option("--json", "for programs", false)
  .action(
    runs((o: SoakFlags) => {
      const { failovers, book } = o;
      return soakCommand({ ...o, modes: o.mode, ttlSeconds: o.ttl, failovers, book }, o);
    }),
  );

program
  .command("calm")
  .description("watch a lab of its own, idle and at work: any warning is a false alarm; 3 if one")
  .option("--minutes <n>", "how long each of the two", positive, 2)
  .option("--clients <n>", "connections of pgbench", whole, 8)
  .option("--rate <n>", "its transactions a second; 0 for as many as it can", whole, 100)
  .option("--name <name>", "of the lab", "calm")
  .option("--json", "for programs", false)
  .action(runs((o: CalmWish & { readonly json: boolean }) => calm(o, o)));

// Started by `chaos delay` in a host's network, and by nobody else.
program
  .command("relay", { hidden: true })
  .requiredOption("--of <dir>", "the node's folder")
  .requiredOption("--delay <ms>", "how long each piece is held", whole)
  .argument("<routes...>", "port=address:port")
  .action((routes: readonly string[], o: { delay: number }) =>
    runRelay(o.delay, routes.map(parseRoute)),
  );

interface BenchFlags {
  readonly runs: number;
  readonly only: readonly string[];
  readonly load: boolean;
  readonly out: string;
  readonly idle: number;
}

program
  .command("replay")
  .description(
    "decide again in the worlds of a node's flight recorder; ends with 3 where it differs",
  )
  .argument("<file>", "recorder.jsonl, from a node's state directory")
  .action(runs(async (file: string) => replayFile(file)));

program
  .command("bench")
  .description("measure every fault many times on labs of its own; prints a Markdown table")
  .option("--runs <n>", "runs of each fault", whole, 10)
  .option("--only <ids>", `some of ${CASE_IDS.join(",")}`, someOf(CASE_IDS), [])
  .option("--load", "under full pgbench write load", false)
  .option("--idle <s>", "how long idle processes are watched", whole, 60)
  .option("--out <file>", "where the result goes as JSON", ".cache/bench.json")
  .action(
    runs((o: BenchFlags) =>
      bench({ runs: o.runs, only: o.only, fullLoad: o.load, out: o.out, idleSeconds: o.idle }),
    ),
  );

program
  .command("bench-backup")
  .description("measure backups, WAL and restores on a lab of its own; prints a Markdown table")
  .option("--runs <n>", "turns", whole, 5)
  .option("--megabytes <n>", "how much data", whole, 1_000)
  .option("--segments <n>", "how much WAL waits for a vault that stood still", whole, 60)
  .option("--out <file>", "where the result goes as JSON", ".cache/bench-backup.json")
  .action(runs(benchBackups));

program
  .command("bench-router")
  .description("measure PgBouncer and HAProxy beside the direct way and beside set-ups by hand")
  .option("--runs <n>", "runs of each fault", whole, 10)
  .option("--turns <n>", "turns of pgbench", whole, 12)
  .option("--seconds <n>", "how long pgbench runs, eight times a turn", whole, 2)
  .option("--only <parts>", `some of ${ROUTER_PARTS.join(",")}`, someOf(ROUTER_PARTS), [])
  .option("--out <file>", "where the result goes as JSON", ".cache/bench-router.json")
  .action(runs(benchRouters));

program
  .command("bench-answers")
  .description(
    "measure how long a screen takes, on an idle lab of its own; prints a Markdown table",
  )
  .option("--runs <n>", "runs of each command", whole, 20)
  .option("--out <file>", "where the result goes as JSON", ".cache/bench-answers.json")
  .action(runs(benchAnswers));

const EXIT_CODES: Readonly<Record<string, number>> = {
  LAB_NOT_FOUND: 10,
  LAB_OPTION: 2,
  NOT_POSSIBLE: 6,
  PORT_IN_USE: 6,
  PG_NO_TOOL: 6,
  TIMEOUT: 8,
  CANCELLED: EXIT_INTERRUPTED,
};

function explain(error: unknown): number {
  if (!(error instanceof AppError)) {
    console.error(error);
    return 1;
  }
  console.error(error.lines().join("\n"));
  return EXIT_CODES[error.code] ?? 1;
}

// The servers' user must be able to enter the lab's folders, whatever the caller's mask would hide.
process.umask(0o022);
try {
  await program.parseAsync();
} catch (error) {
  // Commander has said what was wrong; help that was asked for is no error.
  const asked = (error as { exitCode?: number }).exitCode === 0;
  process.exitCode = asked ? 0 : 2;
}
// A socket to a dead server must not keep a finished command alive.
process.exit();
