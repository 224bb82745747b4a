// Who logs in to a member's server, and how is the connection protected? (`postgresql.authentication`, in Patroni's form)
import type { DatabaseLogin, Protection } from "./settings.ts";
import type { Section } from "./settings-reader.ts";

const CHOICES = {
  sslmode: ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"],
  gssencmode: ["disable", "prefer", "require"],
  channel_binding: ["disable", "prefer", "require"],
} as const;
const FILES = ["sslcert", "sslkey", "sslrootcert", "sslcrl", "sslcrldir"] as const;
/** sslrootcert may name the system's own authorities instead of a file. */
const NO_FILE = "system";

export interface LoginWish {
  /** Its name when none is written. */
  readonly usual: string;
  /** What a Kerberos server calls PostgreSQL, where it is not libpq's own word. */
  readonly krbsrvname: string | undefined;
}

/** One login of `authentication`. */
export function readDatabaseLogin(
  logins: Section,
  role: string,
  { usual, krbsrvname }: LoginWish,
): DatabaseLogin {
  const section = logins.section(role);
  const username = section.text("username") ?? usual;
  const password = section.secret("password");
  const protection = {
    ...readProtection(section),
    ...(krbsrvname === undefined ? {} : { krbsrvname }),
  };
  const keyPassword = section.secret("sslpassword");
  if (section.choice("sslnegotiation", ["postgres", "direct"]) === "direct")
    section.notUsed("sslnegotiation");
  section.close();
  if (username === "") section.problem("username", "must not be empty");
  return {
    username,
    password,
    ...(Object.keys(protection).length === 0 ? {} : { protection }),
    ...(keyPassword === undefined ? {} : { keyPassword }),
  };
}

function readProtection(section: Section): Protection {
  const found: Record<string, string> = {};
  for (const [key, words] of Object.entries(CHOICES)) {
    const word = section.choice(key, words);
    if (word !== undefined) found[key] = word;
  }
  if (found["gssencmode"] === "require")
    section.warn("gssencmode", "holds for replication; the agent's own sessions speak TLS only");
  if (found["channel_binding"] === "require")
    section.warn(
      "channel_binding",
      "is insisted on for replication; the agent's own sessions bind where a server offers it",
    );
  for (const key of FILES) {
    const isWord = key === "sslrootcert" && section.text(key) === NO_FILE;
    const file = isWord ? NO_FILE : section.path(key);
    if (file !== undefined && file !== "") found[key] = file;
  }
  if (found["sslkey"] !== undefined && found["sslcert"] === undefined)
    section.problem("sslkey", "is given without sslcert");
  return found;
}
