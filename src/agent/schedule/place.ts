// May this node run a job of the schedule, and how long does it leave it to a better one?
import type { HaWorld } from "../../controllers/ha/world.ts";
import { valueOf } from "../../model/known.ts";
import type { Ms } from "../../model/time.ts";

/** From one standby to the next. */
const EACH_MS: Ms = 3_000;
/** A primary has other things to do while there is a standby. */
const LEADER_MS: Ms = 20_000;

/** So long it waits for others; undefined: it is not fit to run anything now. */
export function placeIn(world: HaWorld | undefined): Ms | undefined {
  const cluster = world && valueOf(world.store);
  if (world === undefined || cluster === undefined) return undefined;
  const { name } = world.self;
  const standbys = cluster.members
    .filter(({ replicationState }) => replicationState === "streaming")
    .map((member) => member.name)
    .filter((standby) => standby !== cluster.leader?.name)
    .toSorted();
  if (cluster.leader?.name === name) return standbys.length === 0 ? 0 : LEADER_MS;
  const at = standbys.indexOf(name);
  return at < 0 ? undefined : at * EACH_MS;
}
