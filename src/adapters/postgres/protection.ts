// Is a session of our own with another member encrypted, and whom does it believe? As libpq's options of the login say.
import { type ConnectionOptions, checkServerIdentity } from "node:tls";
import type { DatabaseLogin } from "../../model/settings.ts";
import { readGivenFile, readGivenFolder } from "../system/given-file.ts";

/** Without TLS, or with these options of it. */
export type Tls = false | ConnectionOptions;

export const PLAIN: readonly Tls[] = [false];

/**
 * The ways to connect, in the order of trying: one or two. Where no mode is written the plain one goes first, so that
 * nothing is asked of servers that have always been spoken to without TLS.
 */
export function waysTo(
  host: string,
  { protection = {}, keyPassword }: DatabaseLogin,
): readonly Tls[] {
  const { sslmode = "allow" } = protection;
  if (host.startsWith("/") || sslmode === "disable") return PLAIN;
  const tls = tlsFor(host, protection, keyPassword?.reveal());
  if (sslmode === "allow") return [false, tls];
  return sslmode === "prefer" ? [tls, false] : [tls];
}

/** Node has no notion of a folder of lists: each file of it is read, whatever its name. */
const revocations = (file: string | undefined, folder: string | undefined): Buffer[] => [
  ...(file === undefined ? [] : [readGivenFile(file)]),
  ...(folder === undefined ? [] : readGivenFolder(folder)),
];

function tlsFor(
  host: string,
  {
    sslmode,
    sslcert,
    sslkey,
    sslrootcert,
    sslcrl,
    sslcrldir,
  }: NonNullable<DatabaseLogin["protection"]>,
  passphrase: string | undefined,
): ConnectionOptions {
  // libpq checks against a given authority in every mode that insists on TLS.
  const isChecked = sslmode?.startsWith("verify") || (sslmode === "require" && sslrootcert);
  const ca =
    sslrootcert === undefined || sslrootcert === "system" ? undefined : readGivenFile(sslrootcert);
  return {
    rejectUnauthorized: Boolean(isChecked),
    ...(ca === undefined ? {} : { ca }),
    ...(sslcert === undefined
      ? {}
      : { cert: readGivenFile(sslcert), key: readGivenFile(sslkey ?? sslcert) }),
    ...((sslcrl ?? sslcrldir) ? { crl: revocations(sslcrl, sslcrldir) } : {}),
    ...(passphrase === undefined ? {} : { passphrase }),
    checkServerIdentity: (_, certificate) =>
      sslmode === "verify-full" ? checkServerIdentity(host, certificate) : undefined,
  };
}
