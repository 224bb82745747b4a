// Who takes writes? Asks every server directly, all the time, and so sees two writers at once.
import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Ms } from "../model/time.ts";
import { loadLogin, prepare } from "./load.ts";
import { type Overlap, overlapsIn, type Span } from "./overlap.ts";
import type { LabMember, LabRecord } from "./record.ts";
import { Session, sqlState } from "./session.ts";
import { openWritable } from "./writable.ts";

const EVERY_MS: Ms = 5;
const RECONNECT_MS: Ms = 25;
const CONNECT_MS: Ms = 500;
const STATEMENT_MS: Ms = 2_000;

const TABLE = `CREATE TABLE IF NOT EXISTS probes (
  run text, node text, sequence bigint, written_at timestamptz DEFAULT clock_timestamp())`;
/** The first eight digits of a WAL file's name are the timeline on which the row was written. */
const INSERT = `INSERT INTO probes (run, node, sequence) VALUES ($1, $2, $3)
  RETURNING left(pg_walfile_name(pg_current_wal_insert_lsn()), 8)`;

interface Growing {
  writes: number;
  readonly firstAnsweredAt: Ms;
  lastSentAt: Ms;
}

export interface ProbeReport {
  readonly spans: readonly Span[];
  readonly overlaps: readonly Overlap[];
}

export class Prober {
  readonly #lab: LabRecord;
  readonly #run = randomBytes(6).toString("hex");
  readonly #spans = new Map<string, Growing>();
  readonly #probes: Promise<void>[];
  #stopping = false;

  private constructor(lab: LabRecord) {
    this.#lab = lab;
    this.#probes = lab.members.map((member) => this.#probe(member));
  }

  static async start(lab: LabRecord): Promise<Prober> {
    await prepare(lab);
    using session = await openWritable(lab.members, loadLogin(lab));
    await session.query(TABLE);
    return new Prober(lab);
  }

  /** What was seen so far. */
  report(): ProbeReport {
    const spans = [...this.#spans].map(([key, growing]) => {
      const [node = "", timeline = ""] = key.split(" ");
      return { node, timeline, ...growing };
    });
    return { spans, overlaps: overlapsIn(spans) };
  }

  async stop(): Promise<ProbeReport> {
    this.#stopping = true;
    await Promise.all(this.#probes);
    return this.report();
  }

  async #probe(member: LabMember): Promise<void> {
    let session: Session | undefined;
    for (let sequence = 1; !this.#stopping; sequence++) {
      try {
        session ??= await this.#open(member);
        const sentAt = performance.now();
        const timeline = await session.value(INSERT, [this.#run, member.name, sequence]);
        this.#note(`${member.name} ${String(timeline)}`, sentAt);
        await sleep(EVERY_MS);
      } catch (error) {
        // A standby refuses each write and the session stays: so the first moment of a reign is seen.
        if (sqlState(error) === "25006") {
          await sleep(EVERY_MS);
          continue;
        }
        session?.close();
        session = undefined;
        await sleep(RECONNECT_MS);
      }
    }
    session?.close();
  }

  async #open(member: LabMember): Promise<Session> {
    const limits = { connectMs: CONNECT_MS, statementMs: STATEMENT_MS };
    const session = await Session.open(member, { ...loadLogin(this.#lab), ...limits });
    // Hundreds of refusals a second would fill the standbys' logs.
    await session.query("SET log_min_messages = panic");
    return session;
  }

  #note(key: string, sentAt: Ms): void {
    const span = this.#spans.get(key);
    if (span === undefined) {
      this.#spans.set(key, { writes: 1, firstAnsweredAt: performance.now(), lastSentAt: sentAt });
      return;
    }
    span.writes += 1;
    span.lastSentAt = sentAt;
  }
}
