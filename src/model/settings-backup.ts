// Where do this node's backups go, and how are they packed? (section `backup`)

import type { RetentionPolicy } from "./backup-retention.ts";
import type {
  BackupSettings,
  DirectoryPlace,
  RepositorySettings,
  Retention,
  S3Key,
  S3Keys,
  S3Place,
} from "./repository.ts";
import { readDrill } from "./settings-drill.ts";
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

function readPlace(
  repositories: Section,
  name: string,
  section: Section,
): RepositorySettings["place"] {
  if (section.has("directory") === section.has("s3"))
    repositories.problem(name, "needs a place: either directory or s3");
  return section.has("s3") ? readS3(section) : readDirectory(section);
}

function readDirectory(section: Section): DirectoryPlace {
  const directory = (section.text("directory") ?? "").replace(/(?<=.)\/+$/, "");
  if (section.has("directory") && !directory.startsWith("/"))
    section.problem("directory", `must be a whole path, not "${directory}"`);
  return { kind: "directory", directory };
}

function readS3(repository: Section): S3Place {
  const section = repository.section("s3");
  const endpoint = section.text("endpoint")?.replace(/\/+$/, "");
  if (endpoint !== undefined && !/^https?:\/\/[^/\s]+$/.test(endpoint))
    section.problem("endpoint", `must be a URL like https://s3.example.com, not "${endpoint}"`);
  const place: S3Place = {
    kind: "s3",
    bucket: readBucket(section),
    region: section.text("region") ?? "us-east-1",
    endpoint,
    prefix: (section.text("prefix") ?? "").replace(/^\/+|\/+$/g, ""),
    pathStyle: section.flag("path_style") ?? false,
    keys: readKeys(section),
    cafile: section.text("cafile"),
  };
  section.close();
  return place;
}

function readBucket(section: Section): string {
  const bucket = section.required("bucket", "the name of the bucket, which must exist");
  if (bucket !== "" && !/^[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]$/.test(bucket))
    section.problem("bucket", `must be the name of a bucket, not "${bucket}"`);
  return bucket;
}

function readKeys(section: Section): S3Keys | undefined {
  const accessKey = readKey(section, "access_key");
  const secretKey = readKey(section, "secret_key");
  if (accessKey !== undefined && secretKey !== undefined) return { accessKey, secretKey };
  if (accessKey !== undefined) section.problem("secret_key", "is missing beside access_key");
  if (secretKey !== undefined) section.problem("access_key", "is missing beside secret_key");
  return undefined;
}

/** Under its name, or in the file that `<name>_file` names. */
function readKey(section: Section, name: string): S3Key | undefined {
  const text = section.secret(name);
  const file = section.text(`${name}_file`);
  if (text !== undefined && file !== undefined)
    section.problem(`${name}_file`, `stands beside ${name}: keep one of them`);
  if (text !== undefined) return { kind: "text", text };
  return file === undefined ? undefined : { kind: "file", file };
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
