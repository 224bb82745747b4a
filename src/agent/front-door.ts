// When are clients led to this node without a router? While it leads and takes writes, and never longer than its lease.
import { createDoorCommand } from "../adapters/front-door/door-command.ts";
import { createVirtualAddress } from "../adapters/front-door/virtual-address.ts";
import { actAs } from "../adapters/system/os-user.ts";
import type { HaWorld } from "../controllers/ha/world.ts";
import { valueOf } from "../model/known.ts";
import { isValid, type Lease } from "../model/lease.ts";
import type { NodeSettings } from "../model/settings.ts";
import { between, type Ms } from "../model/time.ts";
import type { Clock } from "../ports/clock.ts";
import type { FrontDoor } from "../ports/front-door.ts";
import type { Log } from "../ports/log.ts";

const STEP_LIMIT_MS: Ms = 10_000;

/** The front door that the node's file asks for; undefined when it asks for none. */
export function composeDoor(
  { frontDoor, postgres, scope, name }: NodeSettings,
  { clock, log }: Pick<DoorKeeping, "clock" | "log">,
): DoorKeeper | undefined {
  if (frontDoor === undefined) return undefined;
  const door =
    frontDoor.kind === "address"
      ? createVirtualAddress({ settings: frontDoor, clock, log })
      : createDoorCommand({ ...frontDoor, scope, name, user: actAs(postgres.osUser) });
  return keepDoor({ door, clock, log });
}

export interface DoorKeeper {
  /** Hears of every look; works in its own time. */
  onLook(world: HaWorld): void;
  /** Releases once and for all, when what is under way is done. */
  close(): Promise<void>;
}

export interface DoorKeeping {
  readonly door: FrontDoor;
  readonly clock: Clock;
  readonly log: Log;
}

export const keepDoor = (o: DoorKeeping): DoorKeeper => new Keeper(o);

class Keeper implements DoorKeeper {
  readonly #o: DoorKeeping;
  /** The newest wish counts; those that were overtaken while a step ran are forgotten. */
  #wish: Lease | "release" | undefined;
  #working: Promise<void> | undefined;
  /** Undefined until this life of the agent has released what an earlier one may have left. */
  #heldTerm: number | "nothing" | undefined;
  #isTroubled = false;
  #isClosed = false;

  constructor(o: DoorKeeping) {
    this.#o = o;
  }

  onLook(world: HaWorld): void {
    if (!this.#isClosed) this.#want(leaseToOpen(world) ?? "release");
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#want("release");
    await this.#working;
  }

  #want(wish: Lease | "release"): void {
    this.#wish = wish;
    this.#working ??= this.#work().finally(() => {
      this.#working = undefined;
    });
  }

  async #work(): Promise<void> {
    for (let wish = this.#wish; wish !== undefined; wish = this.#wish) {
      this.#wish = undefined;
      await this.#carryOut(wish);
    }
  }

  async #carryOut(wish: Lease | "release"): Promise<void> {
    const { clock, log } = this.#o;
    using limit = clock.deadline(STEP_LIMIT_MS);
    try {
      await (wish === "release" ? this.#release(limit.signal) : this.#open(wish, limit.signal));
      this.#isTroubled = false;
    } catch (error) {
      // The next look tries again; one line for a trouble that lasts.
      if (!this.#isTroubled) log.error("the front door does not move", { error });
      this.#isTroubled = true;
    }
  }

  async #open(lease: Lease, signal: AbortSignal): Promise<void> {
    const { door, clock, log } = this.#o;
    const { term } = lease;
    const isNew = this.#heldTerm !== term;
    if (isNew) await door.prepare(term, signal);
    const leftMs = between(clock.now(), lease.validUntil);
    // Preparing took too long: whoever leads now opens.
    if (leftMs <= 0) return;
    await door.acquire(term, leftMs, signal);
    if (!isNew) return;
    if (!(await door.verify(term, signal))) throw new Error("it was opened and is not open");
    this.#heldTerm = term;
    log.info("clients are led here", { term });
  }

  async #release(signal: AbortSignal): Promise<void> {
    if (this.#heldTerm === "nothing") return;
    await this.#o.door.release(signal);
    if (this.#heldTerm !== undefined) this.#o.log.info("clients are not led here any more");
    this.#heldTerm = "nothing";
  }
}

/** The lease under which this node takes writes at this look. */
function leaseToOpen({ lease, server, now }: HaWorld): Lease | undefined {
  if (!isValid(lease.held, now)) return undefined;
  const takesWrites =
    server.process.kind === "running" && valueOf(server.sql)?.inRecovery === false;
  return takesWrites ? lease.held : undefined;
}
