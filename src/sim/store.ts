// A simulated etcd cluster: members on hosts, one leader with a quorum or none, leases counted by the leader.
//
// Raft is not simulated; its promises and etcd's own gaps are: leases restart at full length under a new leader,
// a deposed leader answers keep-alives for a while, may revoke leases early, and a proposal that waited for a
// quorum may be applied long after its client gave up.
import type { StoreHeader } from "../model/cluster.ts";
import type { StoreEvent } from "../ports/store.ts";
import type { Dice } from "./dice.ts";
import { Disturbances } from "./disturbances.ts";
import type { Kernel } from "./kernel.ts";
import type { Network } from "./network.ts";
import { type SimLease, type StoreContents, StoreState } from "./store-state.ts";

export interface StoreMember {
  readonly host: string;
  /** Its address: links to it can be cut while those to its host stay. */
  readonly address: string;
  isUp: boolean;
  isPaused: boolean;
  /** Until when it takes itself for the leader although it was deposed. */
  believesUntil: number;
  held: (() => void)[];
}

export interface StoreOptions {
  readonly members: readonly string[];
  readonly electionMs: number;
  /** Releases before 3.4.28: a deposed leader may revoke leases that were renewed elsewhere. */
  readonly revokesEarly: boolean;
}

/** The lessor looks at its leases this often. */
const LEASE_GRAIN_MS = 500;
/** A request that nobody can serve waits so long inside the store. */
const PROPOSAL_WAIT_MS = 7_000;

interface Proposal {
  readonly member: StoreMember;
  readonly since: number;
  readonly run: () => void;
}

export class SimStore {
  readonly kernel: Kernel;
  readonly network: Network;
  readonly state: StoreState;
  readonly members: StoreMember[];
  /** When a lease, leader or key was disturbed by the store itself. */
  readonly #disturbances = new Disturbances();
  /** Another store answers in place of this one: nobody may begin anything on its word (S12). */
  isForeign = false;
  /** An early state of this store, for those who restore backups, and from when on every node can tell that it is old. */
  backup: { readonly contents: StoreContents; readonly isOldFromMs: number } | undefined;
  #leader: StoreMember | undefined;
  #isElecting = false;
  #waiting: Proposal[] = [];
  readonly #dice: Dice;
  readonly #options: StoreOptions;
  readonly #changeListeners = new Set<(events: readonly StoreEvent[]) => void>();
  readonly #serviceListeners = new Set<() => void>();

  constructor(
    parts: { readonly kernel: Kernel; readonly dice: Dice; readonly network: Network },
    options: StoreOptions,
  ) {
    this.kernel = parts.kernel;
    this.network = parts.network;
    this.#dice = parts.dice;
    this.#options = options;
    this.state = new StoreState(`c${1 + parts.dice.integer(1_000_000)}`, (events) => {
      for (const listener of this.#changeListeners) listener(events);
    });
    this.members = options.members.map((host) => ({
      host,
      address: `${host}:2379`,
      isUp: true,
      isPaused: false,
      believesUntil: 0,
      held: [],
    }));
    this.#leader = this.members[0];
    this.network.onChange(() => this.reconsider());
  }

  get leader(): StoreMember | undefined {
    return this.#leader;
  }

  header(): StoreHeader {
    return this.state.header();
  }

  onChange(listener: (events: readonly StoreEvent[]) => void): () => void {
    this.#changeListeners.add(listener);
    return () => this.#changeListeners.delete(listener);
  }

  /** Calls `listener` whenever who serves whom may have changed. */
  onService(listener: () => void): () => void {
    this.#serviceListeners.add(listener);
    return () => this.#serviceListeners.delete(listener);
  }

  #isWell(m: StoreMember): boolean {
    return m.isUp && !m.isPaused;
  }

  #hasQuorum(m: StoreMember): boolean {
    if (!this.#isWell(m)) return false;
    let reached = 0;
    for (const other of this.members)
      if (this.#isWell(other) && this.network.connects(m.address, other.address)) reached += 1;
    return reached * 2 > this.members.length;
  }

  /** Can this member answer linearizable requests now? */
  serves(m: StoreMember): boolean {
    const leader = this.#leader;
    return (
      leader !== undefined &&
      this.#isWell(m) &&
      this.#hasQuorum(leader) &&
      this.network.connects(m.address, leader.address)
    );
  }

  /** Topology or members changed: is there still a leader with a quorum, and who serves whom? */
  reconsider(): void {
    const leader = this.#leader;
    if (leader !== undefined && !this.#hasQuorum(leader)) this.#startElection(leader);
    else if (leader === undefined) this.#startElection(undefined);
    this.#drain();
    for (const listener of [...this.#serviceListeners]) listener();
  }

  #startElection(lost: StoreMember | undefined): void {
    if (this.#isElecting) return;
    this.#isElecting = true;
    this.#disturbances.note(this.kernel.now);
    const ms = this.#options.electionMs * (1 + this.#dice.real());
    this.kernel.after(ms, () => {
      this.#isElecting = false;
      this.#elect(lost);
    });
  }

  #elect(lost: StoreMember | undefined): void {
    const able = this.members.filter((m) => this.#hasQuorum(m));
    if (lost !== undefined && able.includes(lost) && this.#leader === lost) {
      this.#drain(); // the leader came back before its followers gave it up
      return;
    }
    const winner = able[this.#dice.integer(Math.max(able.length, 1))];
    if (winner === undefined) {
      this.#waiting = this.#waiting.filter((p) => this.kernel.now - p.since < PROPOSAL_WAIT_MS);
      return; // no quorum anywhere: the next change of topology asks again
    }
    this.#depose(lost);
    this.#leader = winner;
    this.state.raftTerm += 1;
    this.#disturbances.note(this.kernel.now);
    for (const lease of this.state.leases.values()) {
      lease.expiresAt = this.kernel.now + lease.ttlMs;
      this.#watchLease(lease);
    }
    this.#drain();
    for (const listener of [...this.#serviceListeners]) listener();
  }

  /** The old leader does not know yet: it answers keep-alives, and may revoke what it takes for expired. */
  #depose(lost: StoreMember | undefined): void {
    if (lost === undefined || !lost.isUp) return;
    lost.believesUntil = this.kernel.now + this.#options.electionMs;
    if (!this.#options.revokesEarly) return;
    for (const lease of [...this.state.leases.values()]) {
      const expiry = lease.expiresAt;
      this.kernel.at(expiry + LEASE_GRAIN_MS, () => {
        const isBack = this.serves(lost);
        if (isBack && this.state.leases.get(lease.id) === lease && lost !== this.#leader) {
          this.#disturbances.note(this.kernel.now);
          this.state.revoke(lease.id);
        }
      });
    }
  }

  /** Runs `run` once `member` can propose: now, later, or never. */
  propose(member: StoreMember, run: () => void): void {
    if (this.serves(member)) run();
    else if (member.isUp) this.#waiting.push({ member, since: this.kernel.now, run });
  }

  #drain(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const p of waiting) {
      if (this.kernel.now - p.since >= PROPOSAL_WAIT_MS || !p.member.isUp) continue;
      if (this.serves(p.member)) p.run();
      else this.#waiting.push(p);
    }
  }

  /** Delivers a request to a member's process; a paused one gets it when it is continued. */
  arrive(member: StoreMember, run: () => void): void {
    if (!member.isUp) return;
    if (member.isPaused) member.held.push(run);
    else run();
  }

  grant(id: string, ttlMs: number): boolean {
    if (this.state.leases.has(id)) return false;
    const lease = { id, ttlMs, expiresAt: this.kernel.now + ttlMs };
    this.state.leases.set(id, lease);
    this.#watchLease(lease);
    return true;
  }

  /** Answered by whoever takes itself for the leader: the ttl in the answer may mean nothing. */
  keepAlive(member: StoreMember, id: string): { readonly ttlMs: number } | "gone" | undefined {
    const lease = this.state.leases.get(id);
    if (member !== this.#leader && member.believesUntil > this.kernel.now) {
      return lease === undefined ? undefined : { ttlMs: lease.ttlMs };
    }
    const leader = this.#leader;
    if (leader === undefined || !this.#isWell(leader)) return undefined;
    if (!this.network.connects(member.address, leader.address)) return undefined;
    if (lease === undefined) return "gone";
    lease.expiresAt = this.kernel.now + lease.ttlMs;
    return { ttlMs: lease.ttlMs };
  }

  #watchLease(lease: SimLease): void {
    const due = lease.expiresAt + this.#dice.between(0, LEASE_GRAIN_MS);
    this.kernel.at(due, () => {
      if (this.state.leases.get(lease.id) !== lease) return;
      if (lease.expiresAt > this.kernel.now) {
        this.#watchLease(lease);
        return;
      }
      const leader = this.#leader;
      if (leader !== undefined && this.#hasQuorum(leader)) this.state.revoke(lease.id);
    });
  }

  /** A lasting fault begins (1) or ends (-1). */
  disturb(by: 1 | -1): void {
    this.#disturbances.change(by, this.kernel.now);
  }
  isUndisturbedSince(time: number): boolean {
    return this.#disturbances.isCalmSince(time);
  }

  // Faults.

  setUp(index: number, isUp: boolean): void {
    const m = this.members[index];
    if (m === undefined || m.isUp === isUp) return;
    m.isUp = isUp;
    m.believesUntil = 0;
    if (!isUp) m.held = [];
    if (!isUp) this.#waiting = this.#waiting.filter((p) => p.member !== m);
    if (!isUp && this.members.length === 1) this.#leader = undefined;
    this.reconsider();
  }

  setPaused(index: number, isPaused: boolean): void {
    const m = this.members[index];
    if (m === undefined || m.isPaused === isPaused) return;
    m.isPaused = isPaused;
    if (!isPaused) {
      if (m !== this.#leader && m.believesUntil > 0) m.believesUntil = this.kernel.now + 50;
      const held = m.held;
      m.held = [];
      for (const run of held) this.kernel.after(0, () => this.arrive(m, run));
    }
    this.reconsider();
  }

  raiseSpaceAlarm(isOn: boolean): void {
    this.#disturbances.note(this.kernel.now);
    this.state.hasSpaceAlarm = isOn;
  }

  /** Somebody revokes a lease or deletes a key by hand. */
  meddle(run: (state: StoreState) => void): void {
    this.#disturbances.note(this.kernel.now);
    run(this.state);
  }

  /** The endpoints answer for other contents from now on. */
  load(contents: StoreContents): void {
    this.#disturbances.note(this.kernel.now);
    this.state.load(contents, this.kernel.now);
    for (const lease of this.state.leases.values()) this.#watchLease(lease);
    for (const listener of [...this.#serviceListeners]) listener();
  }
}
