// Reads what members have published in the simulated store, without the code under test.

/** The leader's position in the `status` key, in Patroni's form. */
export function parsePosition(status: string): number | undefined {
  const match = /"optime"\s*:\s*"?(\d+)/.exec(status);
  return match === null ? undefined : Number(match[1]);
}
