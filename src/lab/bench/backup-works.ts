// What do backups, WAL and restores cost, beside the programs that everybody knows? Both in one run, in turns.
import { spawn } from "node:child_process";
import { chmodSync, chownSync, copyFileSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { AppError } from "../../model/error.ts";
import type { Ms } from "../../model/time.ts";
import { belongings } from "../belongings.ts";
import { superuser } from "../health.ts";
import { repositoryDir } from "../node-file.ts";
import { signalProcess } from "../processes.ts";
import { postgresBinDir, requireBundles, serverAccount } from "../programs.ts";
import type { LabMember, LabRecord } from "../record.ts";
import type { Session } from "../session.ts";
import { waitFor } from "../wait-until.ts";
import { openWritable } from "../writable.ts";

/** One comparison: how long ours took, and how long the other way. */
export interface Turn {
  readonly oursMs: Ms;
  readonly theirsMs: Ms;
}

/** What is done to the lab's first repository; a restore reads what the last backup has left there. */
export class BackupWorks {
  readonly #lab: LabRecord;
  readonly #member: LabMember;
  readonly #work: string;
  #turn = 0;

  constructor(lab: LabRecord) {
    const member = lab.members.at(-1);
    if (member === undefined) throw new AppError("LAB_FAILED", "measuring backups", "no member");
    this.#lab = lab;
    this.#member = member;
    this.#work = join(lab.dir, "measured");
    makeOurs(this.#work);
    copyFileSync(join(requireBundles().folder, "cli.mjs"), this.#cli);
    chmodSync(this.#cli, 0o755);
    copyFileSync(member.configFile, this.#nodeFile);
    chownSync(this.#nodeFile, ...ownerIds());
  }

  get #cli(): string {
    return join(this.#lab.dir, "bin", "cli.mjs");
  }

  /** The node's own file is root's; everything here runs as the user of the servers. */
  get #nodeFile(): string {
    return join(this.#work, "node.yml");
  }

  /** Half of it as pgbench makes it, which packs well; half of it text that packs to about a half. */
  async fill(megabytes: number): Promise<void> {
    const scale = Math.ceil(megabytes / 2 / MB_A_SCALE);
    await this.#program(join(postgresBinDir(), "pgbench"), [
      "-i",
      "-q",
      "-s",
      `${scale}`,
      this.#lab.dsn,
    ]);
    const rows = Math.ceil(((megabytes / 2) * 1024 * 1024) / BYTES_A_ROW);
    await this.#ask(
      `CREATE TABLE measured AS SELECT ${SOME_TEXT} AS text FROM generate_series(1, ${rows}) AS n`,
    );
    await this.#ask("CHECKPOINT");
  }

  /** A backup of the last member into a directory, beside pg_basebackup from it, packed alike by the server. */
  async backup(): Promise<Turn> {
    const folder = join(this.#work, `pg_basebackup-${++this.#turn}`);
    const theirs = ["-d", this.#member.dsn, "-c", "fast", "-F", "t", "-X", "fetch"];
    return {
      oursMs: await this.#understudy(
        "backup",
        "run",
        "--repo",
        REPOSITORY,
        "--member",
        this.#member.name,
      ),
      theirsMs: await this.#program(join(postgresBinDir(), "pg_basebackup"), [
        ...theirs,
        "--compress=server-zstd:1",
        "-D",
        folder,
      ]),
    };
  }

  /** The newest backup as files, beside `zstd -d | tar x` of the same archive. */
  async restore(): Promise<Turn> {
    const folder = join(this.#work, `tar-${++this.#turn}`);
    makeOurs(folder);
    const archive = join(this.#newestBackup(), "base.tar.zst");
    return {
      oursMs: await this.#understudy(
        ...RESTORE,
        join(this.#work, `restored-${this.#turn}`),
        "--to",
        "backup",
      ),
      theirsMs: await this.#program("/bin/sh", [
        "-c",
        `zstd -dcq ${archive} | tar -x -C ${folder}`,
      ]),
    };
  }

  /** Segments a second, from the moment on which a vault that stood still goes on. */
  async archive(segments: number): Promise<number> {
    using session = await openWritable(this.#lab.members, {
      ...superuser(this.#lab),
      statementMs: LIMIT_MS,
    });
    await session.query(`CREATE TABLE IF NOT EXISTS filler (text text)`);
    const vaults = belongings(this.#lab).filter(({ role }) => role === "vault");
    for (const { process } of vaults) signalProcess(process, "SIGSTOP");
    let last = "";
    try {
      for (let n = 0; n < segments; n++) last = await writeSegment(session);
    } finally {
      for (const { process } of vaults) signalProcess(process, "SIGCONT");
    }
    const since = performance.now();
    const first = await archivedCount(session);
    await waitFor("the WAL to be archived", () => isArchived(session, last), {
      limitMs: LIMIT_MS,
      everyMs: 50,
    });
    return ((await archivedCount(session)) - first) / ((performance.now() - since) / 1000);
  }

  /** Segments a second of a restore that goes on to the end, beyond what the files of the backup take. */
  async fetch(): Promise<number> {
    const [without, behind] = ["without-wal", "with-wal"].map((name) =>
      join(this.#work, `${name}-${++this.#turn}`),
    ) as [string, string];
    const filesMs = await this.#understudy(...RESTORE, without, "--to", "backup");
    const allMs = await this.#understudy(...RESTORE, behind);
    return (segmentsIn(behind) - segmentsIn(without)) / ((allMs - filesMs) / 1000);
  }

  async #ask(sql: string): Promise<void> {
    using session = await openWritable(this.#lab.members, {
      ...superuser(this.#lab),
      statementMs: LIMIT_MS,
    });
    await session.query(sql);
  }

  #newestBackup(): string {
    const root = repositoryDir(this.#lab, REPOSITORY);
    const cluster = join(root, this.#lab.scope);
    const [system = ""] = readdirSync(cluster);
    const base = join(cluster, system, "base");
    return join(base, readdirSync(base).toSorted().at(-1) ?? "");
  }

  #understudy(...words: string[]): Promise<Ms> {
    return this.#program(process.execPath, [this.#cli, ...words, "-c", this.#nodeFile]);
  }

  /** How long it took. Throws LAB_FAILED with its last words. */
  #program(program: string, args: readonly string[]): Promise<Ms> {
    const account = serverAccount();
    const since = performance.now();
    const child = spawn(program, args, {
      cwd: this.#work,
      stdio: ["ignore", "ignore", "pipe"],
      ...(account && { uid: account.uid, gid: account.gid }),
    });
    let words = "";
    child.stderr.on("data", (text: Buffer) => {
      words = `${words}${text.toString("utf8")}`.slice(-2_000);
    });
    return new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code) => {
        if (code === 0) resolve(performance.now() - since);
        else
          reject(new AppError("LAB_FAILED", `running ${program} ${args[1] ?? ""}`, words.trim()));
      });
    });
  }
}

const REPOSITORY = "near";
const RESTORE = ["restore", "--repo", REPOSITORY, "--yes", "--target-dir"];
const LIMIT_MS: Ms = 600_000;
const MB_A_SCALE = 15;
const BYTES_A_ROW = 128;
const SOME_TEXT = "md5(n::text) || md5((n * 7)::text) || 'the same words again'";
/** Random enough that a segment packs to about a half. */
const SEGMENT_OF_WAL = `INSERT INTO filler SELECT ${SOME_TEXT} FROM generate_series(1, 120000) AS n`;

/** Writes about 16 MB of WAL and ends the segment; answers its name. */
async function writeSegment(session: Session): Promise<string> {
  await session.query(SEGMENT_OF_WAL);
  return String(await session.value("SELECT pg_walfile_name(pg_switch_wal())"));
}

const archivedCount = async (session: Session): Promise<number> =>
  Number(await session.value("SELECT archived_count FROM pg_stat_archiver"));

const isArchived = async (session: Session, name: string): Promise<boolean> =>
  String(await session.value("SELECT last_archived_wal FROM pg_stat_archiver")) >= name;

const segmentsIn = (dataDir: string): number =>
  readdirSync(join(dataDir, "pg_wal")).filter((name) => /^[0-9A-F]{24}$/.test(name)).length;

function makeOurs(folder: string): void {
  mkdirSync(folder, { recursive: true });
  chownSync(folder, ...ownerIds());
}

/** Of whoever runs the servers: -1 leaves what is there. */
function ownerIds(): [number, number] {
  const account = serverAccount();
  return account === undefined ? [-1, -1] : [account.uid, account.gid];
}
