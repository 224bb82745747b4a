// How does the agent keep an eye on lag? It looks now and then, and often while something is behind or somebody asks.
import type { LagMoment } from "../model/lag/moment.ts";
import type { LagReport } from "../model/lag/report.ts";
import { EMPTY_WINDOW, isBusy, reportOf, withSample } from "../model/lag/window.ts";
import { after, between, type Instant, type Ms } from "../model/time.ts";
import type { WalLook } from "../model/wal-report.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import type { ReplicationProbe } from "../ports/replication.ts";
import type { LagHistory } from "./lag-history.ts";

/** What it costs when nothing happens: one statement every five seconds. */
const CALM_MS: Ms = 5_000;
const CLOSE_MS: Ms = 500;
/** So long after a question the next one is expected. */
const ASKED_MS: Ms = 10_000;
/** What fills a disk fills it in minutes. */
const WAL_MS: Ms = 30_000;
const SAMPLE_LIMIT_MS: Ms = 3_000;

export interface LagWatch {
  start(): void;
  stop(): void;
  /** From memory; undefined while the server has not answered. */
  report(): LagReport | undefined;
  /** Files, disk, archiver and slots, at most half a minute old; undefined while the server has not answered. */
  wal(): WalLook | undefined;
  /** Somebody looks: the next samples come sooner and show more. */
  lookClosely(): void;
  history(sinceWallMs: number): Promise<readonly LagMoment[]>;
}

export interface LagWatchOptions {
  readonly probe: ReplicationProbe;
  readonly history: LagHistory;
  readonly clock: Clock;
  readonly log: Log;
}

export function createLagWatch({ probe, history, clock, log }: LagWatchOptions): LagWatch {
  let window = EMPTY_WINDOW;
  // Made once a look: health checks, which come several times a second, ask for it too.
  let last: { readonly report: LagReport; readonly at: Instant } | undefined;
  let askedUntil: Instant | undefined;
  let timer: Timer | undefined;
  let runs = false;
  let isLooking = false;
  let wal: { readonly look: WalLook | undefined; readonly at: Instant } | undefined;
  const isAsked = (): boolean => askedUntil !== undefined && clock.now() < askedUntil;
  const isClose = (): boolean => (last !== undefined && isBusy(last.report)) || isAsked();
  const sleep = (): void => {
    timer = clock.wakeAt(after(clock.now(), isClose() ? CLOSE_MS : CALM_MS), () => void look());
  };
  const look = async (): Promise<void> => {
    isLooking = true;
    const sample = await probe.sample(isClose(), SAMPLE_LIMIT_MS);
    if (sample === undefined) wal = undefined;
    else if (wal === undefined || between(wal.at, clock.now()) >= WAL_MS)
      wal = { look: await probe.wal(SAMPLE_LIMIT_MS), at: clock.now() };
    if (!runs) return;
    // What a server said that is down now is no news.
    window = sample === undefined ? EMPTY_WINDOW : withSample(window, sample);
    const at = sample?.at ?? clock.now();
    const report = reportOf(window, at);
    last = report && { report, at };
    if (report !== undefined)
      await history
        .note(report, clock.wallMs())
        .catch((error: unknown) => log.debug("the lag cannot be noted", { error }));
    isLooking = false;
    if (runs) sleep();
  };
  return {
    start() {
      runs = true;
      void look();
    },
    stop() {
      runs = false;
      timer?.cancel();
      probe.close();
    },
    report: () => last && { ...last.report, ageMs: Math.round(between(last.at, clock.now())) },
    wal: () => wal?.look,
    lookClosely() {
      const wasClose = isClose();
      askedUntil = after(clock.now(), ASKED_MS);
      if (wasClose || isLooking || !runs) return;
      timer?.cancel();
      void look();
    },
    history: (since) => history.since(since),
  };
}
