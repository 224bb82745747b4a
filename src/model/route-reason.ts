// Why is a router doing what it is doing?

/** Every reason of the route room with its sentence. */
export const ROUTE_REASONS = {
  routing: "clients reach the primary and the standbys",
  route_reading: "the cluster follows another site: clients may read, and nobody takes writes",
  route_stopping: "the router is stopping",
  route_store_unread: "the store cannot be read: clients stay where they are",
  route_closing:
    "the store could not be read for longer than store_limit: writes are refused, as configured",
  route_closed: "the store cannot be read: writes are refused, as configured",
  route_holding: "clients are paused, since the leader asked for it before a switchover",
  route_held: "a switchover is under way: clients wait for the next primary",
  route_busy: "clients hold transactions open: the switchover cannot pause them within its budget",
  route_cutting_blockers: "clients that hold transactions open are cut, as configured",
  route_suspecting: "the primary may be gone: clients are paused",
  route_suspected: "the primary may be gone: clients wait for a short while",
  route_waiting_for_primary: "no member has proved yet that it takes writes: clients wait",
  route_pointing: "clients are being sent to the members of this term",
  route_cutting_old: "sessions to a primary that is gone are cut",
  route_releasing: "clients go on",
} as const satisfies Record<string, string>;

export type RouteReason = keyof typeof ROUTE_REASONS;
