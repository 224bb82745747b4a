// Which settings should the server on this node have? The cluster's, then the node's own.
import type { DynamicConfig } from "../model/config.ts";
import { ROOM_FOR_MEMBERS } from "../model/parameter-minimums.ts";
import type { NodeSettings } from "../model/settings.ts";
import type { ServerPlan } from "../ports/postgres.ts";

export const planFor = (config: DynamicConfig, settings: NodeSettings): ServerPlan => ({
  parameters: { ...config.parameters, ...settings.postgres.parameters },
  pgHba: firstFilled(settings.postgres.pgHba, config.pgHba, settings.bootstrap.pgHba),
  members: ROOM_FOR_MEMBERS,
});

const firstFilled = (...lists: readonly (readonly string[])[]): readonly string[] =>
  lists.find((list) => list.length > 0) ?? [];
