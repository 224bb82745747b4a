// The fence itself: what it does on an agent's word, what it does without one, and when it leaves.
import { AppError, asAppError } from "../../model/error.ts";
import { HARD_STOP_AFTER_MS } from "../../model/lease.ts";
import type { Instant, Ms } from "../../model/time.ts";
import type { KillReport } from "../../ports/fence.ts";
import { type Armed, DeadMansSwitch } from "./dead-mans-switch.ts";
import type { FenceArguments } from "./launch.ts";
import { takePrivileges } from "./privileges.ts";
import type { Answer, Notice, Numbered, WireStatus } from "./protocol.ts";
import type { Say } from "./say.ts";
import { ServerChild } from "./server-child.ts";
import { askToStop, takeDown } from "./takedown.ts";
import { Watchdog } from "./watchdog.ts";

/** At the deadline the fence never gives up; after each such round it says what is left. */
const ROUND_MS: Ms = 10_000;

export interface WardenOptions {
  readonly args: FenceArguments;
  readonly now: () => Instant;
  readonly say: Say;
  /** To the connected agent, if there is one. */
  readonly tell: (notice: Notice) => void;
  /** Something ended or began: is there still a reason to be here? */
  readonly onChange: () => void;
}

export class Warden {
  readonly #options: WardenOptions;
  readonly #privileges = takePrivileges();
  readonly #watchdog: Watchdog;
  readonly #server: ServerChild;
  readonly #switch: DeadMansSwitch;
  #leaseId: string | undefined;
  /** The term under which the server was let run without a deadline (R30). */
  #unguarded: number | undefined;
  /** Takedowns that run at this moment: no start meanwhile. */
  #ending = 0;

  constructor(options: WardenOptions) {
    this.#options = options;
    const { args, now, say } = options;
    this.#watchdog = new Watchdog(args.watchdog, say);
    this.#server = new ServerChild({
      dataDir: args.dataDir,
      user: args.user,
      privileges: this.#privileges,
      onExit: (exit) => {
        say("the server has ended", { ...exit });
        this.#unguarded = undefined;
        options.tell({ kind: "server-exit", ...exit });
        options.onChange();
      },
    });
    this.#switch = new DeadMansSwitch({
      now,
      onAlive: () => this.#watchdog.feed(),
      onPart: (armed) => this.#part(armed),
      onFire: (armed) => void this.#fire(armed),
    });
  }

  /** Nothing to guard: no server of ours, no deadline, nothing being ended. */
  get isIdle(): boolean {
    return this.#server.pid === undefined && !this.#switch.armed && this.#ending === 0;
  }

  status(generation: number): WireStatus {
    return {
      now: this.#options.now(),
      pid: process.pid,
      generation,
      leaseId: this.#leaseId ?? null,
      // While it fires, the deadline is over and extends to nobody.
      armed: this.#switch.isFiring ? null : (this.#switch.armed ?? null),
      unguarded: this.#unguarded ?? null,
      serverPid: this.#server.pid ?? null,
      lacking: [...this.#privileges.lacking, ...this.#server.lacking, ...this.#watchdog.lacking],
      watchdog: this.#watchdog.state,
    };
  }

  /** Carries out one request of the connected agent. Never throws: a refusal is an answer. */
  async answer(request: Numbered, generation: number): Promise<Answer> {
    const { id } = request;
    try {
      const result = await this.#carryOut(request);
      this.#options.onChange();
      return { id, ok: true, status: this.status(generation), ...result };
    } catch (error) {
      const { code, why } = asAppError(error, "NOT_POSSIBLE", "carrying out the request");
      return { id, ok: false, status: this.status(generation), code, why };
    }
  }

  async #carryOut(request: Numbered): Promise<{ pid?: number; report?: KillReport }> {
    switch (request.do) {
      case "hello":
      case "ping":
        this.#switch.look();
        return {};
      case "adopt":
        this.#leaseId = request.leaseId;
        return {};
      case "arm":
        this.#switch.arm({ term: request.term, until: request.until });
        this.#unguarded = undefined;
        return {};
      case "disarm":
        this.#switch.disarm();
        this.#watchdog.release();
        return {};
      case "unguard":
        this.#letGo(request.term);
        return {};
      case "start":
        return { pid: this.#start(request.command) };
      case "kill":
        return { report: await this.#end(request.graceMs, request.timeoutMs) };
      case "quit":
        if (this.isIdle) return {};
        throw new AppError("NOT_POSSIBLE", "ending the fence", "it guards a server or a deadline");
      default:
        request satisfies never;
        throw new AppError("NOT_POSSIBLE", "reading the request", "the fence does not know it");
    }
  }

  /** The deadline is proof that nobody else leads; without it, or without a server, there is nothing to let go. */
  #letGo(term: number): void {
    this.#switch.look();
    if (this.#unguarded === term) return;
    const attempt = `letting the server of term ${term} run without a deadline`;
    if (this.#switch.armed?.term !== term || this.#server.pid === undefined)
      throw new AppError("FENCE_UNARMED", attempt, "no deadline of that term stands over a server");
    this.#switch.disarm();
    this.#watchdog.release();
    this.#unguarded = term;
    this.#options.say("the server runs without a deadline", { term });
  }

  /** Ends the server whatever the agent says: the fence is leaving or broken. */
  async endAll(): Promise<void> {
    if (this.isIdle) return;
    const report = await this.#end(HARD_STOP_AFTER_MS, ROUND_MS);
    this.#options.say("the fence leaves, its server was ended", { ...report });
    if (report.down) this.#watchdog.release();
  }

  #start(command: Parameters<ServerChild["start"]>[0]): number {
    this.#switch.look();
    if (this.#switch.isFiring || this.#ending > 0) {
      throw new AppError("PG_START_FAILED", "starting the server", "the old one is being ended");
    }
    return this.#server.start(command);
  }

  /** Nothing waits for this, and nothing that goes wrong in it may keep the deadline from being kept. */
  #part(armed: Armed): void {
    const { args, say } = this.#options;
    if (this.#server.pid === undefined) return;
    say("the deadline is near, the server is asked to stop", { ...armed });
    try {
      askToStop(args.dataDir, this.#server.pid);
    } catch (error) {
      say("the server could not be asked to stop", { error: String(error) });
    }
  }

  async #fire(armed: Armed): Promise<void> {
    const { say, tell, onChange } = this.#options;
    say("the deadline has passed, the server is ended", { ...armed });
    tell({ kind: "fired", term: armed.term });
    for (;;) {
      const report = await this.#end(HARD_STOP_AFTER_MS, ROUND_MS);
      if (report.down) break;
      say("the server is not down yet", { ...report });
    }
    say("the server is proven down", { term: armed.term });
    this.#switch.settle();
    this.#watchdog.release();
    onChange();
  }

  async #end(graceMs: Ms, timeoutMs: Ms): Promise<KillReport> {
    const { args, now, say } = this.#options;
    this.#ending += 1;
    try {
      return await takeDown({
        dataDir: args.dataDir,
        now,
        graceMs,
        timeoutMs,
        childPid: () => this.#server.pid,
      });
    } catch (error) {
      // A look that failed proves nothing: the server counts as running.
      say("the server could not be looked at", { error: String(error) });
      return { down: false, remaining: 1 };
    } finally {
      this.#ending -= 1;
    }
  }
}
