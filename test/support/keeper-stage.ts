// A lease keeper between a scripted store and a scripted fence, under a virtual clock.

import type { Roster } from "../../src/model/cluster.ts";
import { DEFAULT_CONFIG, type DynamicConfig } from "../../src/model/config.ts";
import type { GivenPromise, PromiseAnswer, PromiseAsked } from "../../src/model/promise.ts";
import type { Instant, Ms } from "../../src/model/time.ts";
import type { AcquireOutcome, Dcs, Holder, RenewOutcome } from "../../src/ports/dcs.ts";
import type { Fence } from "../../src/ports/fence.ts";
import type { Log } from "../../src/ports/log.ts";
import { createLeaseKeeper, type LeaseKeeper } from "../../src/runtime/lease-keeper.ts";
import { type VirtualClock, virtualClock } from "./clock.ts";

export const SILENT_LOG: Log = { error() {}, warn() {}, info() {}, debug() {} };

/** What a test writes into: how the store and the fence answer from now on. */
export interface Script {
  renew: () => Promise<RenewOutcome>;
  acquire: () => Promise<AcquireOutcome>;
  release: () => Promise<RenewOutcome>;
  keepAlive: () => Promise<"alive" | "gone">;
  /** The ttl that the store's lease has in truth. */
  grantedMs: Ms | undefined;
  arm: (until: Instant) => Promise<void>;
  mayServeWrites: boolean;
  needsFence: boolean;
  promise: (apiUrl: string, asked: PromiseAsked) => Promise<PromiseAnswer>;
  rivals: Roster | undefined;
  promised: GivenPromise | undefined;
  config: DynamicConfig;
}

export interface Renewal {
  readonly at: Instant;
  readonly term: number;
  readonly seq: number;
  readonly holder: Holder;
  readonly timeoutMs: Ms;
}

export interface Stage {
  readonly clock: VirtualClock;
  readonly keeper: LeaseKeeper;
  readonly fence: Fence;
  readonly script: Script;
  readonly renewals: Renewal[];
  readonly keptAlive: Instant[];
  readonly ensured: Ms[];
  readonly arms: { readonly at: Instant; readonly term: number; readonly until: Instant }[];
  readonly changes: string[];
  readonly kills: Instant[];
  readonly disarms: Instant[];
  /** Vouches for `term` now and every second, for so long as time passes. */
  vouching(term: number): void;
}

export const RENEWED: RenewOutcome = { kind: "renewed" };
export const LOST: RenewOutcome = { kind: "lost", why: "somebody else has it" };
export const UNKNOWN: RenewOutcome = { kind: "unknown", why: "no answer" };
export const BASIS = {
  holdRevision: 1,
  unguardedRevision: 0,
  syncRevision: 0,
  failoverRevision: 0,
  rosterRevision: 0,
  lineageRevision: 2,
};
export const BELIEF_MS = 6_420;

export function createStage(): Stage {
  const clock = virtualClock();
  const script: Script = {
    renew: () => Promise.resolve(RENEWED),
    acquire: () => Promise.resolve({ kind: "won", term: 7 }),
    release: () => Promise.resolve(RENEWED),
    keepAlive: () => Promise.resolve("alive"),
    grantedMs: undefined,
    arm: () => Promise.resolve(),
    mayServeWrites: true,
    needsFence: true,
    promise: () => Promise.resolve({ kind: "promised" }),
    rivals: undefined,
    promised: undefined,
    config: DEFAULT_CONFIG,
  };
  const records = {
    renewals: [] as Renewal[],
    keptAlive: [] as Instant[],
    ensured: [] as Ms[],
    arms: [] as { at: Instant; term: number; until: Instant }[],
    changes: [] as string[],
    kills: [] as Instant[],
    disarms: [] as Instant[],
  };
  const fence = scriptedFence(clock, script, records);
  const keeper = createLeaseKeeper({
    clock,
    log: SILENT_LOG,
    dcs: scriptedDcs(clock, script, records),
    fence,
    name: "n1",
    leaseId: "4711",
    config: () => script.config,
    mayServeWrites: () => script.mayServeWrites,
    needsFence: () => script.needsFence,
    peers: { promise: (url, asked) => script.promise(url, asked) },
    rivals: () => script.rivals,
    promised: () => script.promised,
    onChange: (why) => void records.changes.push(why),
  });
  const vouching = (term: number): void => {
    keeper.vouch({ term, observedAt: clock.now() });
    clock.wakeAt((clock.now() + 1_000) as Instant, () => vouching(term));
  };
  return { clock, keeper, fence, script, ...records, vouching };
}

type Records = Pick<Stage, "renewals" | "keptAlive" | "ensured" | "arms" | "kills" | "disarms">;

function scriptedDcs(clock: VirtualClock, script: Script, records: Records): Dcs {
  const dcs: Partial<Dcs> = {
    renew(term, holder, seq, timeoutMs) {
      records.renewals.push({ at: clock.now(), term, holder, seq, timeoutMs });
      return script.renew();
    },
    acquire: () => script.acquire(),
    release: () => script.release(),
    keepAlive() {
      records.keptAlive.push(clock.now());
      return script.keepAlive();
    },
    ensureLease(_, ttlMs) {
      records.ensured.push(ttlMs);
      return Promise.resolve(script.grantedMs ?? ttlMs);
    },
  };
  return dcs as Dcs;
}

function scriptedFence(clock: VirtualClock, script: Script, records: Records): Fence {
  let armed: { term: number; until: Instant } | undefined;
  let unguarded: number | undefined;
  const fence: Partial<Fence> = {
    status: () => ({
      alive: true,
      armed,
      unguarded,
      leaseId: "4711",
      serverPid: 42,
      acknowledgedAt: undefined,
      roundTripMs: undefined,
      lacking: [],
      watchdog: "off",
    }),
    async arm(term, until, signal) {
      records.arms.push({ at: clock.now(), term, until });
      await Promise.race([script.arm(until), aborted(signal)]);
      armed = { term, until };
      unguarded = undefined;
    },
    unguard(term) {
      armed = undefined;
      unguarded = term;
      return Promise.resolve();
    },
    disarm() {
      records.disarms.push(clock.now());
      armed = undefined;
      return Promise.resolve();
    },
    killServer() {
      records.kills.push(clock.now());
      return Promise.resolve({ down: true, remaining: 0 });
    },
  };
  return fence as Fence;
}

const aborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason));
  });

/** A stage on which term 7 has just been won. */
export async function wonStage(): Promise<Stage> {
  const stage = createStage();
  stage.keeper.start();
  await stage.clock.pass(0);
  await stage.keeper.acquire(BASIS);
  stage.vouching(7);
  return stage;
}
