// Where does a repository lie: in a directory, or in a bucket with which keys?
import type { DirectoryPlace, RepositorySettings, S3Key, S3Keys, S3Place } from "./repository.ts";
import type { Section } from "./settings-reader.ts";

/** `section` is called `name` in `parent`. */
export function readPlace(
  parent: Section,
  name: string,
  section: Section,
): RepositorySettings["place"] {
  if (section.has("directory") === section.has("s3"))
    parent.problem(name, "needs a place: either directory or s3");
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
