// What does one change in the store mean to a loop that waits for news?
import { parseHold } from "../model/wire/dcs.ts";
import type { DcsEvent } from "../ports/dcs.ts";
import type { StoreEvent } from "../ports/store.ts";
import type { Keys } from "./keys.ts";

/** How long an unreadable hold counts does not matter to an event: only that it is not released. */
const ANY_MS = 1;

/** A renewal comes every other second and is not worth parsing: it lacks the word, and could spell it only with a backslash. */
const mayRelease = (text: string): boolean => text.includes("released") || text.includes("\\");

export function eventOf(event: StoreEvent, keys: Keys): DcsEvent {
  switch (event.key) {
    case keys.hold: {
      const { value = "", modRevision: revision } = event;
      const released = mayRelease(value) ? parseHold(value, revision, ANY_MS).released : undefined;
      return { kind: "hold", revision, released: released !== undefined, heir: released?.heir };
    }
    case keys.leader:
      return { kind: "leader", name: event.value };
    case keys.config:
      return { kind: "config" };
    case keys.failover:
      return { kind: "failover" };
    case keys.initialize:
      return { kind: "initialize" };
    case keys.unguarded:
      return { kind: "unguarded" };
    default: {
      const member = keys.memberOf(event.key);
      if (member !== undefined) return { kind: "member", name: member };
      const router = keys.routerOf(event.key);
      return router === undefined ? { kind: "other" } : { kind: "router", name: router };
    }
  }
}
