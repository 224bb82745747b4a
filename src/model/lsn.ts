// Where in the write-ahead log is something?

declare const lsnBrand: unique symbol;

/** A WAL position: bytes since 0/0. A bigint, because 2^53 bytes of WAL is not out of reach. */
export type Lsn = bigint & { readonly [lsnBrand]: true };

export const lsn = (bytes: bigint | number | string): Lsn => BigInt(bytes) as Lsn;
export const ZERO_LSN: Lsn = lsn(0);

/** Parses PostgreSQL's text form, e.g. `0/3000148`. Answers undefined when it is not one. */
export function parseLsn(text: string): Lsn | undefined {
  const match = /^([0-9A-Fa-f]{1,8})\/([0-9A-Fa-f]{1,8})$/.exec(text);
  if (match === null) return undefined;
  return lsn((BigInt(`0x${match[1]}`) << 32n) | BigInt(`0x${match[2]}`));
}

/** PostgreSQL's text form of a position. */
export const printLsn = (at: Lsn): string =>
  `${(at >> 32n).toString(16).toUpperCase()}/${(at & 0xffffffffn).toString(16).toUpperCase()}`;

export const maxLsn = (a: Lsn, b: Lsn): Lsn => (a >= b ? a : b);

/** Bytes by which `behind` trails `ahead`; zero when it does not. */
export const lagBytes = (ahead: Lsn, behind: Lsn): number =>
  ahead > behind ? Number(ahead - behind) : 0;
