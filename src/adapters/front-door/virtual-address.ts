// A virtual address that lives no longer than the lease: the kernel itself removes it when nobody prolongs it.
import { AppError } from "../../model/error.ts";
import type { VirtualAddress } from "../../model/front-door.ts";
import { after, type Ms } from "../../model/time.ts";
import type { Clock, Timer } from "../../ports/clock.ts";
import type { FrontDoor } from "../../ports/front-door.ts";
import type { Log } from "../../ports/log.ts";
import { type RunResult, run } from "../system/spawn.ts";

/** Neighbours may miss one announcement, or learn the old one once more. */
const ANNOUNCE_AFTER_MS: readonly Ms[] = [0, 200, 1_000, 5_000];
const COMMAND_LIMIT_MS: Ms = 3_000;
/** The kernel counts whole seconds and may be most of one late. */
const KERNEL_SLACK_MS: Ms = 1_000;
const ASK_AGAIN_MS: Ms = 200;

export interface VirtualAddressOptions {
  readonly settings: VirtualAddress;
  readonly clock: Clock;
  readonly log: Log;
  /** Before each command, for tests: to run it in a network of its own. */
  readonly through?: readonly string[];
}

export const createVirtualAddress = (options: VirtualAddressOptions): FrontDoor =>
  new KernelAddress(options);

class KernelAddress implements FrontDoor {
  readonly #o: VirtualAddressOptions;
  /** What is still to be said: not once the address is given up. */
  readonly #announcements: Timer[] = [];

  constructor(options: VirtualAddressOptions) {
    this.#o = options;
  }

  /** A former primary's host may still have it for the rest of its lease: that is waited for. */
  async prepare(_term: number, signal: AbortSignal): Promise<void> {
    const { address, interface: device } = this.#o.settings;
    await this.#ip(["link", "show", "dev", device], signal);
    if (await this.#isHere(signal)) return;
    while (await this.#isTaken(signal)) {
      if (signal.aborted) {
        throw new AppError("NOT_POSSIBLE", `taking ${address}`, "another host answers for it");
      }
      await this.#o.clock.sleep(ASK_AGAIN_MS, signal).catch(() => undefined);
    }
  }

  async acquire(_term: number, forMs: Ms, signal: AbortSignal): Promise<void> {
    const seconds = Math.max(1, Math.floor((forMs - KERNEL_SLACK_MS) / 1000));
    const isNew = !(await this.#isHere(signal));
    const life = ["valid_lft", `${seconds}`, "preferred_lft", `${seconds}`];
    await this.#ip(["addr", "replace", ...this.#place(), ...life], signal);
    if (isNew) this.#announce();
  }

  verify(_term: number, signal: AbortSignal): Promise<boolean> {
    return this.#isHere(signal);
  }

  async release(signal: AbortSignal): Promise<void> {
    for (const timer of this.#announcements.splice(0)) timer.cancel();
    if (await this.#isHere(signal)) await this.#ip(["addr", "del", ...this.#place()], signal);
  }

  #place(): readonly string[] {
    const { address, prefixLength, interface: device } = this.#o.settings;
    return [`${address}/${prefixLength}`, "dev", device];
  }

  async #isHere(signal: AbortSignal): Promise<boolean> {
    const { address, interface: device } = this.#o.settings;
    const { stdout } = await this.#ip(["-j", "addr", "show", "dev", device], signal);
    const links = JSON.parse(stdout) as { addr_info?: { local?: string }[] }[];
    return links.some(({ addr_info = [] }) => addr_info.some(({ local }) => local === address));
  }

  /** Asks the network who has the address: an answer means that somebody does. */
  async #isTaken(signal: AbortSignal): Promise<boolean> {
    const { address, interface: device } = this.#o.settings;
    const probe = ["-D", "-q", "-c", "2", "-w", "1", "-I", device, address];
    return (await this.#run("arping", probe, signal)).code !== 0;
  }

  /** Tells the neighbours where the address is now, several times, while the agent goes on. */
  #announce(): void {
    const { clock, log, settings } = this.#o;
    const words = ["-U", "-q", "-c", "1", "-w", "1", "-I", settings.interface, settings.address];
    for (const timer of this.#announcements.splice(0)) timer.cancel();
    for (const ms of ANNOUNCE_AFTER_MS) {
      const say = (): void => {
        this.#announceOnce(words).catch((error: unknown) =>
          log.warn("the virtual address could not be announced", { error }),
        );
      };
      this.#announcements.push(clock.wakeAt(after(clock.now(), ms), say));
    }
  }

  /** The kernel may have removed it meanwhile: who announces it then leads clients away from where it is now. */
  async #announceOnce(words: readonly string[]): Promise<void> {
    using limit = this.#o.clock.deadline(COMMAND_LIMIT_MS);
    if (await this.#isHere(limit.signal)) await this.#run("arping", words);
  }

  async #ip(args: readonly string[], signal: AbortSignal): Promise<RunResult> {
    const result = await this.#run("ip", args, signal);
    if (result.code === 0) return result;
    throw new AppError("NOT_POSSIBLE", `ip ${args.join(" ")}`, result.stderr.trim());
  }

  #run(program: string, args: readonly string[], signal?: AbortSignal): Promise<RunResult> {
    const [first = program, ...rest] = [...(this.#o.through ?? []), program, ...args];
    return run({ program: first, args: rest, timeoutMs: COMMAND_LIMIT_MS, signal });
  }
}
