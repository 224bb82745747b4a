// Who keeps the lease alive? The only writer of the leader and hold keys: its own timer, its own short timeouts.
//
// It renews only upon a fresh vouch of the HA loop: a hung loop stops vouching, so a zombie cannot keep the crown.
// The fence learns of every renewal after the store has confirmed it, so its deadline is never the later one.
import type { AcquireBasis } from "../model/acquire-basis.ts";
import type { Release, Roster } from "../model/cluster.ts";
import { type DynamicConfig, holdMsOf } from "../model/config.ts";
import { AppError } from "../model/error.ts";
import {
  HARD_STOP_AFTER_MS,
  isValid,
  type Lease,
  RENEW_RETRY_MS,
  renewEveryMs,
  renewTimeoutMs,
  validUntil,
  vouchLastsMs,
} from "../model/lease.ts";
import type { GivenPromise } from "../model/promise.ts";
import { after, type Instant, type Ms } from "../model/time.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type { AcquireOutcome, Dcs, Holder, RenewOutcome } from "../ports/dcs.ts";
import type { Fence } from "../ports/fence.ts";
import type { LeaseKeeping, LeaseView } from "../ports/lease.ts";
import type { Log } from "../ports/log.ts";
import type { Peers } from "../ports/peers.ts";
import { missingPromises } from "./peer-promises.ts";
import { isFresh, type Vouch } from "./vouch.ts";

export interface KeeperOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly dcs: Dcs;
  readonly fence: Fence;
  readonly name: string;
  readonly leaseId: string;
  /** The configuration in force; a change of timing starts with the next renewal (R29). */
  config(): DynamicConfig;
  /** False when the server is surely a standby or down: then nothing needs to be ended when the lease is lost. */
  mayServeWrites(): boolean;
  /** False for a standby leader, whose server surely takes no writes: a lease that ends is no reason to end it. */
  needsFence(): boolean;
  readonly peers: Pick<Peers, "promise">;
  /** Whoever could take over besides us (R28); undefined when they must not stand in for the store. */
  rivals(): Roster | undefined;
  /** What this member has promised to another (R27). */
  promised(): GivenPromise | undefined;
  /** The HA loop should look at once: won, lost, in doubt. */
  onChange(why: string): void;
}

export interface LeaseKeeper extends LeaseKeeping {
  start(): void;
  stop(): void;
  vouch(vouch: Vouch): void;
  /** The last vouch is void: a step was taken, or the fence reported something. */
  unvouch(): void;
}

/** The fence must acknowledge within this (R14). */
const ARM_LIMIT_MS: Ms = 500;
/** The most that ending the server may take before it is reported. */
const KILL_LIMIT_MS: Ms = 5_000;
/** A wall clock that jumps ahead of ours by more than this makes the lease suspect (R15). */
const WALL_JUMP_MS: Ms = 500;
const SUSPECT_MS: Ms = 1_000;
/** The broom's lease is kept alive at least this often. */
const BROOM_SHARE = 3;
/** What a lease of unknown length is taken for: no configuration allows a shorter one. */
const SHORTEST_TTL_MS: Ms = 5_000;

/** A renewal that counts: of which term, from when, for how long. */
interface Counted {
  readonly term: number;
  readonly seq: number;
  readonly sentAt: Instant;
  readonly holdMs: Ms;
}

export function createLeaseKeeper(options: KeeperOptions): LeaseKeeper {
  return new Keeper(options);
}

class Keeper implements LeaseKeeper {
  readonly #o: KeeperOptions;
  #held: Lease | undefined;
  #grantor: LeaseView["grantor"] = "store";
  #seq = 0;
  #vouch: Vouch | undefined;
  #acquireUnknownSince: Instant | undefined;
  #renewedAt: Instant | undefined;
  #timer: Timer | undefined;
  #busy = false;
  #stopped = false;
  #wallOffset: number | undefined;
  /** The length of our lease in the store. One that exists keeps its old length when the configured ttl changes. */
  #grantedMs: Ms | undefined;

  constructor(options: KeeperOptions) {
    this.#o = options;
  }

  view(): LeaseView {
    return {
      leaseId: this.#o.leaseId,
      held: this.#held,
      grantor: this.#grantor,
      acquireUnknownSince: this.#acquireUnknownSince,
      renewedAt: this.#renewedAt,
    };
  }

  start(): void {
    this.#schedule(0);
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  vouch(vouch: Vouch): void {
    this.#vouch = vouch;
  }

  unvouch(): void {
    this.#vouch = undefined;
  }

  async acquire(basis: AcquireBasis): Promise<AcquireOutcome> {
    // A holder that takes its key anew has lost the lease in the store with it.
    if (this.#held !== undefined) await this.#keepBroom();
    // At the moment of use: a promise given since the decision binds, and none is given from here on (R27).
    if (this.#o.promised() !== undefined) return { kind: "taken" };
    const sentAt = this.#o.clock.now();
    const holdMs = this.#holdMs();
    const before = this.#acquireUnknownSince;
    this.#acquireUnknownSince = sentAt;
    const outcome = await this.#o.dcs.acquire(basis, this.#holder(), renewTimeoutMs(holdMs) * 2);
    // "Taken" may mean: by ourselves, by the one before this whose answer was lost. That one stays open.
    if (outcome.kind === "taken") this.#acquireUnknownSince = before;
    if (outcome.kind === "won") {
      this.#acquireUnknownSince = undefined;
      await this.#believe({ term: outcome.term, seq: 0, sentAt, holdMs }, "store");
    }
    return outcome;
  }

  async adopt(term: number, sentAt: Instant, seq: number): Promise<RenewOutcome> {
    const holdMs = this.#holdMs();
    const before = this.#o.clock.now();
    if (!(await this.#bindTo(term, validUntil(before, holdMs))))
      return { kind: "unknown", why: "the fence did not acknowledge" };
    const outcome = await this.#o.dcs.renew(term, this.#holder(), seq + 1, renewTimeoutMs(holdMs));
    if (outcome.kind === "renewed") {
      this.#acquireUnknownSince = undefined;
      await this.#believe({ term, seq: seq + 1, sentAt: before, holdMs }, "store");
    } else if (outcome.kind === "lost") {
      this.#acquireUnknownSince = undefined;
    }
    this.#o.log.info("adopting a lease", { term, outcome: outcome.kind, sentAt });
    return outcome;
  }

  async release(release: Release): Promise<RenewOutcome> {
    const held = this.#held;
    if (held === undefined) return { kind: "lost", why: "not held" };
    // No renewal may overtake the release: it would be refused, but it would also look like a loss.
    this.#timer?.cancel();
    const outcome = await this.#o.dcs.release(
      held.term,
      this.#holder(),
      release,
      renewTimeoutMs(this.#holdMs()) * 2,
    );
    if (outcome.kind !== "unknown") {
      this.#held = undefined;
      await this.#disarm();
    }
    // Each win and each release put the next beat off: without one now, many would let the lease in the store end.
    this.#schedule(outcome.kind === "unknown" ? this.#renewEveryMs(this.#holdMs()) : 0);
    return outcome;
  }

  drop(why: string): void {
    const held = this.#held;
    if (held === undefined) return;
    this.#held = undefined;
    this.#vouch = undefined;
    this.#o.log.warn("the lease is lost", { term: held.term, why });
    // Now, whatever the loop is doing (R6); the armed deadline stands behind it.
    if (!this.#isUnguarded() && this.#o.mayServeWrites()) void this.#endServer();
    this.#o.onChange("lease lost");
  }

  async guard(): Promise<void> {
    const held = this.#held;
    if (!isValid(held, this.#o.clock.now()))
      throw new AppError("LEASE_LOST", "give the server a deadline again", "the lease is not held");
    using limit = this.#o.clock.deadline(ARM_LIMIT_MS);
    await this.#o.fence.arm(held.term, held.validUntil, limit.signal);
  }

  /** R30: the record in the store keeps everybody else from leading, not this lease; it may end and come again. */
  #isUnguarded(): boolean {
    return this.#o.fence.status().unguarded !== undefined;
  }

  async #endServer(): Promise<void> {
    using limit = this.#o.clock.deadline(KILL_LIMIT_MS);
    try {
      await this.#o.fence.killServer(HARD_STOP_AFTER_MS, KILL_LIMIT_MS, limit.signal);
    } catch (error) {
      this.#o.log.error("the server was not ended at once", { error: String(error) });
    }
  }

  #holdMs(): Ms {
    return holdMsOf(this.#o.config());
  }

  #holder(): Holder {
    return { name: this.#o.name, leaseId: this.#o.leaseId, holdMs: this.#holdMs() };
  }

  #schedule(ms: Ms): void {
    this.#timer?.cancel();
    if (this.#stopped) return;
    this.#timer = this.#o.clock.wakeAt(after(this.#o.clock.now(), ms), () => void this.#beat());
  }

  /** One beat: renew if we hold, else keep the broom's lease alive. Never two at once. */
  async #beat(): Promise<void> {
    if (this.#busy || this.#stopped) return;
    this.#busy = true;
    try {
      this.#schedule(
        this.#held === undefined ? await this.#keepBroom() : await this.#renew(this.#held),
      );
    } finally {
      this.#busy = false;
    }
  }

  async #keepBroom(): Promise<Ms> {
    const { ttlMs } = this.#o.config();
    const timeoutMs = renewTimeoutMs(this.#holdMs());
    try {
      const { dcs, leaseId } = this.#o;
      const isKnown = this.#grantedMs !== undefined;
      if (!isKnown || (await dcs.keepAlive(leaseId, timeoutMs)) === "gone") {
        this.#grantedMs = await dcs.ensureLease(leaseId, ttlMs, timeoutMs);
        this.#o.onChange("the lease of this member is in place");
      }
      return this.#broomEveryMs();
    } catch (error) {
      this.#o.log.debug("the lease of the member key was not kept alive", { error: String(error) });
      return timeoutMs;
    }
  }

  #broomEveryMs(): Ms {
    return Math.floor((this.#grantedMs ?? SHORTEST_TTL_MS) / BROOM_SHARE);
  }

  /** By the hold's clock, and never so slowly that the store's own lease could end in between. */
  #renewEveryMs(holdMs: Ms): Ms {
    return Math.min(renewEveryMs(holdMs), this.#broomEveryMs());
  }

  async #renew(held: Lease): Promise<Ms> {
    const { clock, log, dcs } = this.#o;
    const config = this.#o.config();
    const holdMs = holdMsOf(config);
    this.#watchWallClock();
    const lasts = vouchLastsMs(holdMs, config.loopWaitMs, config.retryTimeoutMs);
    if (!isFresh(this.#vouch, held.term, lasts, clock.now())) {
      log.debug("no renewal: the HA loop does not vouch", { term: held.term });
      return this.#expireOrRetry(held);
    }
    const sentAt = clock.now();
    if (!(await this.#bindTo(held.term, validUntil(sentAt, holdMs)))) return RENEW_RETRY_MS;
    if (this.#held?.term !== held.term) return RENEW_RETRY_MS;
    const outcome = await dcs.renew(
      held.term,
      this.#holder(),
      this.#seq + 1,
      renewTimeoutMs(holdMs),
    );
    this.#seq += 1;
    if (this.#held?.term !== held.term) return RENEW_RETRY_MS;
    if (outcome.kind === "renewed") {
      await this.#believe({ term: held.term, seq: this.#seq, sentAt, holdMs }, "store");
      return Math.max(0, this.#renewEveryMs(holdMs) - (clock.now() - sentAt));
    }
    if (outcome.kind === "lost") {
      if (this.#grantor === "store") {
        this.drop(outcome.why);
        return 0;
      }
      // The key ended while the peers stood in: nobody can have led since, and the HA loop takes it anew.
      this.#o.onChange("the store answers, the key is not ours");
      await this.#keepBroom();
    }
    log.warn("a renewal was not answered", {
      term: held.term,
      why: outcome.why,
      leftMs: held.validUntil - clock.now(),
    });
    return this.#renewByPeers(held.term, holdMs);
  }

  /** Only while the lease is valid: whoever could have taken over until now has not, and promises not to. */
  async #renewByPeers(term: number, holdMs: Ms): Promise<Ms> {
    const { clock, log, name } = this.#o;
    const rivals = this.#o.rivals();
    const sentAt = clock.now();
    if (this.#held?.term !== term) return RENEW_RETRY_MS;
    if (rivals === undefined || !isValid(this.#held, sentAt))
      return this.#expireOrRetry(this.#held);
    const asked = { grantee: name, term, durationMs: holdMs };
    const missing = await missingPromises(this.#o.peers, rivals, asked, renewTimeoutMs(holdMs));
    if (this.#held?.term !== term) return RENEW_RETRY_MS;
    if (missing.length > 0 || !isValid(this.#held, clock.now())) {
      log.warn("not everybody promises to stand back", { term, missing });
      return this.#expireOrRetry(this.#held);
    }
    await this.#believe({ term, seq: this.#seq, sentAt, holdMs }, "peers");
    return Math.max(0, this.#renewEveryMs(holdMs) - (clock.now() - sentAt));
  }

  #expireOrRetry(held: Lease): Ms {
    if (isValid(held, this.#o.clock.now())) return RENEW_RETRY_MS;
    this.drop("it has run out");
    return 0;
  }

  /** A counted renewal: belief first grows in the fence's record, then in ours, never the other way round. */
  async #believe(counted: Counted, grantor: LeaseView["grantor"]): Promise<void> {
    const { term, seq, sentAt, holdMs } = counted;
    const until = validUntil(sentAt, holdMs);
    this.#grantor = grantor;
    this.#seq = seq;
    this.#renewedAt = sentAt;
    const isNew = this.#held?.term !== term;
    if (isNew) this.#held = { term, validUntil: until };
    const armed = !this.#o.needsFence() || (await this.#arm(term, until));
    if (this.#held?.term !== term) return; // dropped meanwhile
    if (armed || isNew) this.#held = { term, validUntil: until };
    if (isNew) this.#schedule(this.#renewEveryMs(holdMs));
  }

  /**
   * A hold that is shorter than the last one binds us from the moment it is sent, answered or not, for a rival counts
   * by what it sees: belief and fence shrink before it leaves (R29).
   */
  async #bindTo(term: number, until: Instant): Promise<boolean> {
    const held = this.#held;
    if (held !== undefined && held.validUntil > until) this.#held = { term, validUntil: until };
    const record = this.#o.fence.status().armed;
    return record === undefined || record.until <= until || (await this.#arm(term, until));
  }

  async #arm(term: number, until: Instant): Promise<boolean> {
    // There is no deadline to be moved; the HA loop gives the server one when the pause ends.
    if (this.#isUnguarded()) return true;
    using limit = this.#o.clock.deadline(ARM_LIMIT_MS);
    try {
      await this.#o.fence.arm(term, until, limit.signal);
      return true;
    } catch (error) {
      this.#o.log.error("the fence did not acknowledge", { term, error: String(error) });
      this.#o.onChange("fence silent");
      return false;
    }
  }

  async #disarm(): Promise<void> {
    using limit = this.#o.clock.deadline(ARM_LIMIT_MS);
    try {
      await this.#o.fence.disarm(limit.signal);
    } catch (error) {
      this.#o.log.warn("the fence was not disarmed", { error: String(error) });
    }
  }

  /** R15: a wall clock that ran ahead of ours says that time passed which our clock did not see. */
  #watchWallClock(): void {
    const { clock } = this.#o;
    const offset = clock.wallMs() - clock.now();
    const jumped = this.#wallOffset !== undefined && offset - this.#wallOffset > WALL_JUMP_MS;
    this.#wallOffset = offset;
    const held = this.#held;
    if (!jumped || held === undefined) return;
    const until = Math.min(held.validUntil, after(clock.now(), SUSPECT_MS)) as Instant;
    this.#o.log.warn("the wall clock ran ahead: the lease is suspect", { term: held.term });
    this.#held = { term: held.term, validUntil: until };
    if (this.#o.needsFence()) void this.#arm(held.term, until);
  }
}
