// As whom does the server run, and may we start programs as somebody else?
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { AppError } from "../../model/error.ts";

export interface OsUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

const LOOKUP_LIMIT_MS = 5000;

export const isRoot = (): boolean => process.geteuid?.() === 0;

/** The user of that name; asks the name service when /etc/passwd does not know it. */
export function findOsUser(name: string, passwdFile = "/etc/passwd"): OsUser {
  const local = parsePasswd(readFileSync(passwdFile, "utf8"), name);
  if (local !== undefined) return local;
  try {
    const text = execFileSync("getent", ["passwd", name], {
      encoding: "utf8",
      timeout: LOOKUP_LIMIT_MS,
      stdio: ["ignore", "pipe", "ignore"],
    });
    const known = parsePasswd(text, name);
    if (known !== undefined) return known;
  } catch {
    // Reported below: to the reader it makes no difference which of the two did not know the user.
  }
  throw new AppError("NOT_POSSIBLE", `looking up the user ${name}`, "there is no such user");
}

/** Whom programs must be started as: undefined when we already are that user (or nobody special). */
export function actAs(name: string | undefined): OsUser | undefined {
  if (name === undefined || !isRoot()) return undefined;
  const user = findOsUser(name);
  return user.uid === 0 ? undefined : user;
}

export function parsePasswd(text: string, name: string): OsUser | undefined {
  for (const line of text.split("\n")) {
    const [user, , uid, gid] = line.split(":");
    if (user === name && uid !== undefined && gid !== undefined) {
      return { name, uid: Number(uid), gid: Number(gid) };
    }
  }
  return undefined;
}
