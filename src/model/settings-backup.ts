// Where do this node's backups go, and how are they packed? (section `backup`)

import type { RetentionPolicy } from "./backup-retention.ts";
import type { BackupSettings, RepositorySettings, Retention } from "./repository.ts";
import { readDrill } from "./settings-drill.ts";
import { readPlace } from "./settings-place.ts";
import type { Section } from "./settings-reader.ts";
import { readSchedules } from "./settings-schedules.ts";
import { lagLimit } from "./wire/rest-health.ts";

/** Undefined when the file has no `backup` section. */
export function readBackup(root: Section): BackupSettings | undefined {
  if (!root.has("backup")) return undefined;
  const section = root.section("backup");
  const encryption = section.section("encryption");
  const settings: BackupSettings = {
    repositories: readRepositories(section),
    compression: section.choice("compression", ["zstd", "gzip", "none"]) ?? "zstd",
    recipients: readRecipients(encryption),
    identityFile: encryption.text("identity_file"),
    walBudgetBytes: readBudget(section),
    drill: readDrill(section),
    schedules: readSchedules(section),
  };
  if (settings.schedules?.jobs["expire"] !== undefined && !settings.repositories.some(hasRetention))
    section.problem("retention", "is missing: schedules.expire would have nothing to do");
  if (encryption.has("identity_file") && settings.recipients.length === 0)
    encryption.problem("identity_file", "stands without recipients: nothing would be encrypted");
  encryption.close();
  section.close();
  return settings;
}

const hasRetention = ({ retention }: RepositorySettings): boolean => retention !== undefined;

const USUAL_BUDGET = 8 * 1024 ** 3;

function readBudget(section: Section): number {
  const text = section.text("wal_budget");
  const bytes = text === undefined ? USUAL_BUDGET : lagLimit(text);
  if (bytes === undefined)
    section.problem("wal_budget", `must be bytes or an amount like 8GB, not "${text}"`);
  return bytes ?? USUAL_BUDGET;
}

function readRecipients(encryption: Section): readonly string[] {
  return encryption.items("recipients").map(({ text, offset }) => {
    if (text.startsWith("AGE-SECRET-KEY-"))
      encryption.problemAt(
        offset,
        "backup.encryption.recipients has a private key: give the public one (age1…), keep this one elsewhere",
      );
    else if (!/^age1[02-9ac-hj-np-z]{58}$/.test(text))
      encryption.problemAt(offset, `"${text}" is not a public key of age (age1…, 62 characters)`);
    return text;
  });
}

const DAY_MS = 86_400_000;

/** Undefined when nothing is written: then nothing ever goes. */
function readRetention(parent: Section): Retention | undefined {
  if (!parent.has("retention")) return undefined;
  const section = parent.section("retention");
  const retention = { base: readPolicy(section, "base"), logical: readPolicy(section, "logical") };
  section.close();
  return retention;
}

function readPolicy(retention: Section, kind: "base" | "logical"): RetentionPolicy | undefined {
  if (!retention.has(kind)) return undefined;
  const section = retention.section(kind);
  const count = section.number("count", { min: 1, max: 100_000 });
  const days = section.number("days", { min: 1, max: 36_500 });
  if (count === undefined && days === undefined)
    retention.problem(kind, "says nothing: give count, days or both, e.g. {count: 7, days: 30}");
  section.close();
  return { count: count ?? 1, spanMs: days === undefined ? undefined : days * DAY_MS };
}

function readRepositories(backup: Section): readonly RepositorySettings[] {
  const usual = readRetention(backup);
  const section = backup.section("repositories");
  const found = section.names().map((name) => readRepository(section, name, usual));
  if (found.length === 0)
    backup.problem(
      "repositories",
      "is missing: name at least one, e.g. near: {directory: /var/backups/pg}",
    );
  for (const [at, { name, place }] of found.entries()) {
    const twin = found.slice(0, at).find((other) => isSamePlace(other.place, place));
    if (twin !== undefined)
      section.problem(name, `is the same place as ${twin.name}: keep one of them`);
  }
  if (found.length > 0 && !found.some(({ required }) => required))
    backup.problem("repositories", "has none that is required: WAL would be nowhere for sure");
  section.close();
  return found;
}

function readRepository(
  repositories: Section,
  name: string,
  usual: Retention | undefined,
): RepositorySettings {
  const section = repositories.section(name);
  if (!/^[a-z0-9][a-z0-9_-]{0,30}$/.test(name))
    repositories.problem(name, "must be a short name of small letters, digits, - and _");
  const place = readPlace(repositories, name, section);
  const settings: RepositorySettings = {
    name,
    place,
    storage: section.text("storage") ?? (place.kind === "directory" ? "directory" : "object-store"),
    offSite: section.flag("off_site") ?? false,
    required: section.flag("required") ?? true,
    retention: readRetention(section) ?? usual,
  };
  section.close();
  return settings;
}

function isSamePlace(a: RepositorySettings["place"], b: RepositorySettings["place"]): boolean {
  if (a.kind === "directory") return b.kind === "directory" && a.directory === b.directory;
  return (
    b.kind === "s3" &&
    a.bucket === b.bucket &&
    a.prefix === b.prefix &&
    a.endpoint === b.endpoint &&
    a.region === b.region
  );
}
