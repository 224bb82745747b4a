// The balancer's port over a real HAProxy: its file, its process, and who serves, told over its socket.
//
// HAProxy outlives the agent and forgets nothing that it was told; a new process knows nothing. So the state is read from
// HAProxy itself every time, and only the difference to the plan is sent.
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import type { Address } from "../../model/address.ts";
import { AppError } from "../../model/error.ts";
import type { RoutePlan, Target } from "../../model/route.ts";
import { printAddress } from "../../model/settings-address.ts";
import type { Ms } from "../../model/time.ts";
import type { Balancer, BalancerLook } from "../../ports/balancer.ts";
import type { Pointed } from "../../ports/pooler.ts";
import { closeOrders, planOrders, waitOrders } from "./orders.ts";
import { endAll, livePids } from "./process.ts";
import { socketFile } from "./render.ts";
import { openRuntime, type Runtime } from "./runtime.ts";
import { infoOf, parseServed, parseSlots, type Slot } from "./state.ts";
import { createSupervisor, type HaproxyOptions, type Supervisor } from "./supervisor.ts";

const ASK_LIMIT_MS: Ms = 2000;
/** Restarting a HAProxy that has died, and telling it everything again. */
const MEND_LIMIT_MS: Ms = 15_000;
const MEND_AGAIN_MS: Ms = 250;
/** Shutting out and putting to sleep are two rounds; a third must find nothing left to do. */
const MOST_ROUNDS = 3;

export const createBalancer = (options: HaproxyOptions): Balancer => new Haproxy(options);

class Haproxy implements Balancer {
  readonly #o: HaproxyOptions;
  readonly #supervisor: Supervisor;
  #runtime: Runtime | undefined;
  /** What was said last; whoever else takes writes than its target is shut out when it changes. */
  #said: RoutePlan | undefined;
  #names: ReadonlyMap<string, string> = new Map();
  #queue: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  constructor(options: HaproxyOptions) {
    this.#o = options;
    this.#supervisor = createSupervisor(options);
  }

  ensure(plan: RoutePlan, signal: AbortSignal): Promise<Pointed> {
    return this.#alone(async () => {
      const term = this.#said?.term ?? 0;
      if (plan.term < term) return { kind: "older", term };
      const runtime = await this.#connected(signal);
      await this.#push(runtime, await resolved(plan), signal);
      this.#said = plan;
      return { kind: "pointed" };
    });
  }

  closeWrites(signal: AbortSignal): Promise<void> {
    return this.#withoutWrites(closeOrders, signal);
  }

  wait(signal: AbortSignal): Promise<void> {
    return this.#withoutWrites(waitOrders, signal);
  }

  #withoutWrites(
    ordersFor: (slots: readonly Slot[]) => readonly string[],
    signal: AbortSignal,
  ): Promise<void> {
    return this.#alone(async () => {
      const runtime = await this.#connected(signal);
      const orders = ordersFor(parseSlots(await runtime.ask("show servers state")));
      for (const order of orders) await say(runtime, order);
      if (orders.length > 0) await this.#endElders(runtime);
      // The next plan is news, whatever it says.
      this.#said = this.#said && { ...this.#said, write: undefined };
    });
  }

  async look(signal: AbortSignal): Promise<BalancerLook> {
    signal.throwIfAborted();
    const { dir } = this.#o.settings;
    const runtime = this.#runtime?.isOpen
      ? this.#runtime
      : await openRuntime(socketFile(dir), ASK_LIMIT_MS).catch(() => undefined);
    if (runtime === undefined) return this.#absent();
    try {
      return await this.#lookThrough(runtime);
    } catch {
      return this.#absent();
    } finally {
      if (runtime !== this.#runtime) runtime.close();
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#runtime?.close();
  }

  /** Behind what is being done: else that would start again what is ended here. What comes later is refused. */
  stop(signal: AbortSignal): Promise<void> {
    this.close();
    return this.#alone(async () => {
      signal.throwIfAborted();
      const { dir } = this.#o.settings;
      await endAll(livePids(dir), dir, this.#o.clock);
    });
  }

  async #lookThrough(runtime: Runtime): Promise<BalancerLook> {
    const info = await runtime.ask("show info");
    const served = parseServed(await runtime.ask("show stat"));
    const servers = served.map(({ address, ...more }) => ({
      ...more,
      name: this.#names.get(address) ?? address,
    }));
    return {
      pid: Number(infoOf(info, "Pid")),
      version: infoOf(info, "Version"),
      servers,
      problems: problemsOf(servers, this.#said),
    };
  }

  #absent(): BalancerLook {
    const problem = this.#supervisor.trouble() ?? "HAProxy does not run";
    return { pid: undefined, version: "", servers: [], problems: [problem] };
  }

  /** Verbs wait for each other: the connection and the process have one owner at a time. */
  #alone<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#queue.then(work);
    this.#queue = done.catch(() => undefined);
    return done;
  }

  /** A connection to the process that runs with today's configuration, started or replaced if need be. */
  async #connected(signal: AbortSignal): Promise<Runtime> {
    if (this.#isClosed)
      throw new AppError("CANCELLED", "talking to HAProxy", "it is being stopped");
    if (this.#runtime?.isOpen && !this.#supervisor.isStale()) return this.#runtime;
    const pid = await this.#supervisor.ensureRunning(signal);
    this.#runtime?.close();
    const onEnd = (): void => this.#onEnd();
    const runtime = await openRuntime(socketFile(this.#o.settings.dir), ASK_LIMIT_MS, onEnd);
    if (runtime === undefined) {
      throw new AppError("HAPROXY_FAILED", "talking to HAProxy", `pid ${pid} closed its socket`);
    }
    this.#runtime = runtime;
    return runtime;
  }

  async #push(runtime: Runtime, plan: RoutePlan, signal: AbortSignal): Promise<void> {
    const before = this.#said?.write;
    const { write } = plan;
    let isNewTarget = write !== undefined && (before === undefined || !isSame(before, write));
    this.#names = namesOf(plan);
    for (let round = 1; ; round++) {
      signal.throwIfAborted();
      const slots: readonly Slot[] = parseSlots(await runtime.ask("show servers state"));
      const orders = planOrders(slots, plan, { isNewTarget });
      if (orders.length === 0) break;
      if (round > MOST_ROUNDS) {
        throw new AppError("HAPROXY_FAILED", "telling HAProxy who serves", `left: ${orders[0]}`);
      }
      for (const order of orders) await say(runtime, order);
      isNewTarget = false;
    }
    // Sessions that an elder process still serves are out of our reach otherwise.
    if (before !== undefined && write !== undefined && !isSame(before, write)) {
      await this.#endElders(runtime);
    }
  }

  /** Processes that gave their place to a successor serve old sessions to their end, but not beyond their primary's. */
  async #endElders(runtime: Runtime): Promise<void> {
    const { dir } = this.#o.settings;
    if (!this.#supervisor.mayHaveElders()) return;
    const now = Number(infoOf(await runtime.ask("show info"), "Pid"));
    const elders = livePids(dir).filter((pid) => pid !== now);
    if (elders.length > 0) await endAll(elders, dir, this.#o.clock);
  }

  /** HAProxy has died under us, or somebody has replaced it: at once, instead of with the loop's next look. */
  #onEnd(): void {
    if (this.#isClosed || this.#said === undefined) return;
    const { log } = this.#o;
    log.warn("the connection to HAProxy ended, it is looked after");
    this.#mend().catch((error: unknown) => log.warn("HAProxy is not back yet", { error }));
  }

  /** Our connection may end a moment before the ports of a killed process are free, so one try is not enough. */
  async #mend(): Promise<void> {
    const { clock } = this.#o;
    using limit = clock.deadline(MEND_LIMIT_MS);
    while (!this.#isClosed && this.#said !== undefined) {
      try {
        await this.ensure(this.#said, limit.signal);
        return;
      } catch (error) {
        if (limit.signal.aborted) throw error;
      }
      await clock.sleep(MEND_AGAIN_MS, limit.signal);
    }
  }
}

/** HAProxy answers a state's change with silence; anything else is a refusal. Addresses are answered with what changed. */
async function say(runtime: Runtime, order: string): Promise<void> {
  const answer = await runtime.ask(order);
  const isTalk = / (?:addr|check-addr) /.test(order);
  if (answer === "" || isTalk) return;
  throw new AppError("HAPROXY_FAILED", `telling HAProxy "${order}"`, answer);
}

/** HAProxy takes addresses only; names are looked up anew each time, here and not in its path of traffic. */
async function resolved(plan: RoutePlan): Promise<RoutePlan> {
  const member = async <T extends Target>(one: T): Promise<T> => ({
    ...one,
    host: await addressOf(one.host),
    ...(one.api && { api: { ...one.api, host: await addressOf(one.api.host) } }),
  });
  return {
    term: plan.term,
    write: plan.write && (await member(plan.write)),
    ...(plan.isReadOnly === true ? { isReadOnly: true } : {}),
    reads: await Promise.all(plan.reads.map(member)),
    reports: await Promise.all(plan.reports.map(member)),
  };
}

async function addressOf(host: string): Promise<string> {
  if (isIP(host) !== 0) return host;
  try {
    return (await lookup(host)).address;
  } catch (error) {
    throw new AppError("NOT_POSSIBLE", `looking up the address of ${host}`, "no answer", error);
  }
}

const namesOf = ({ write, reads, reports }: RoutePlan): ReadonlyMap<string, string> =>
  new Map(
    [...(write === undefined ? [] : [write]), ...reads, ...reports].map((one) => [
      printAddress(one),
      one.name,
    ]),
  );

function problemsOf(servers: BalancerLook["servers"], said: RoutePlan | undefined): string[] {
  const target = said?.write;
  if (target === undefined) return [];
  const mine = servers.filter(({ route, name }) => route === "write" && name === target.name);
  return mine
    .filter(({ state }) => state !== "UP")
    .map(({ state }) => `the primary ${target.name} is ${state} for HAProxy: its checks fail`);
}

const isSame = (a: Address, b: Address): boolean => a.host === b.host && a.port === b.port;
