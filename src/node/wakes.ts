// Which changes in the store are worth waking the loop for?
import type { DcsEvent } from "../ports/dcs.ts";

export interface WakeOptions {
  sawHold(revision: number): void;
  wake(why: string): void;
  leads(): boolean;
}

/** A renewal every other second only dates the holder; a release, a lost leader or an intent wakes at once. */
export function createWakes(o: WakeOptions): { onEvent(event: DcsEvent): void } {
  const members = new Set<string>();
  return {
    onEvent(event) {
      switch (event.kind) {
        case "hold":
          o.sawHold(event.revision);
          if (event.released) o.wake("the lease was released");
          return;
        case "member":
          // A newcomer needs its slot at once; a member's changing positions concern nobody.
          if (members.has(event.name)) return;
          members.add(event.name);
          if (o.leads()) o.wake("a new member");
          return;
        case "router":
          // It may have answered; a router that is steady writes nothing.
          if (o.leads()) o.wake("a router says something");
          return;
        case "other":
          return;
        default:
          o.wake(`store: ${event.kind}`);
      }
    },
  };
}
