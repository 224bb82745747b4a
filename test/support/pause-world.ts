// What a pause does to a world: the record in the store, and a server without a deadline.
import { type Change, cluster, TERM, WALL_MS } from "./world.ts";

/** The store says that `name` runs without a deadline since its term. */
export const recorded = (name: string, term: number = TERM): Change =>
  cluster(() => ({
    unguarded: {
      value: {
        member: name,
        term,
        sinceMs: WALL_MS,
        host: `${name}.example`,
        port: 5432,
        apiUrl: `http://${name}.example:8008`,
      },
      modRevision: 700,
    },
  }));

/** The fence has let the running server go. */
export const letGo: Change = (w) => ({
  ...w,
  fence: { ...w.fence, armed: undefined, unguarded: TERM },
});
