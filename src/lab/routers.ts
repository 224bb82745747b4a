// How do clients of a lab get in through its routers, and from when on?
import { AppError } from "../model/error.ts";
import type { Ms } from "../model/time.ts";
import { superuser } from "./health.ts";
import { APP_DATABASE } from "./layout.ts";
import { directPath, LOAD_DATABASE, type LoadPath } from "./load.ts";
import { startAgent } from "./nodes.ts";
import type { LabRecord, LabRouter } from "./record.ts";
import { Session, type Target } from "./session.ts";
import { waitFor } from "./wait-until.ts";

/** Starts the routers; ends when each lets clients in to write and to read. */
export async function bringUpRouters(lab: LabRecord, limitMs: Ms): Promise<void> {
  for (const router of lab.routers) await startAgent(lab, router);
  for (const router of lab.routers) await waitForDoors(lab, router, limitMs);
}

/** The pooler of a router as a server to connect to. */
export const poolerOf = ({ name, address, ports }: LabRouter): Target => ({
  name: `${name}'s pooler`,
  address,
  port: ports.pooled,
});

/** The balancer of a router, for one route. */
export const balancerOf = (
  { name, address, ports }: LabRouter,
  route: "write" | "read" | "report",
): Target => ({ name: `${name}'s ${route} port`, address, port: ports[route] });

async function waitForDoors(lab: LabRecord, router: LabRouter, limitMs: Ms): Promise<void> {
  const pooler = poolerOf(router);
  const hasStandby = lab.members.length > 1;
  const doors = [
    { at: pooler, database: APP_DATABASE },
    { at: balancerOf(router, "write"), database: APP_DATABASE },
    // With nobody to read from, nobody is let in to read.
    ...(hasStandby
      ? [
          { at: pooler, database: `${APP_DATABASE}_ro` },
          { at: balancerOf(router, "read"), database: APP_DATABASE },
        ]
      : []),
  ];
  let last = "";
  const opens = async ({ at, database }: (typeof doors)[number]): Promise<boolean> => {
    try {
      using session = await Session.open(at, { ...superuser(lab), database });
      return (await session.value("SELECT 1")) === 1;
    } catch (error) {
      last = `${at.name}: ${error instanceof Error ? error.message : String(error)}`;
      return false;
    }
  };
  const why = (): string => `${last}; read ${router.log}`;
  const allOpen = async (): Promise<boolean> =>
    (await Promise.all(doors.map(opens))).every(Boolean);
  await waitFor(`${router.name} to let clients in`, allOpen, { limitMs, everyMs: 200, why });
}

export const PATHS = ["direct", "pooled", "balanced"] as const;
export type PathName = (typeof PATHS)[number];

/** One way of a load to the primary. Throws when the lab has no router to go through. */
export function pathOf(lab: LabRecord, name: PathName): LoadPath {
  if (name === "direct") return directPath(lab);
  const [router] = lab.routers;
  if (router === undefined) {
    const why = "the lab has no router; start one with --routers 1";
    throw new AppError("NOT_POSSIBLE", `write on the ${name} path`, why);
  }
  return name === "pooled"
    ? { name, servers: [poolerOf(router)], database: APP_DATABASE }
    : { name, servers: [balancerOf(router, "write")], database: LOAD_DATABASE };
}
