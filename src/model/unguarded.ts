// Which member's server runs without a deadline, and how is it reached by whoever wants to know whether it still does?

/** The `unguarded` key: while it stands, nobody but this member may lead (R30). */
export interface Unguarded {
  readonly member: string;
  /** In which it was the leader when it wrote this. */
  readonly term: number;
  /** Wall-clock milliseconds, for people only. */
  readonly sinceMs: number | undefined;
  /** Of its server and of its agent, which leave the store with their member's lease. */
  readonly host: string;
  readonly port: number;
  readonly apiUrl: string;
}
