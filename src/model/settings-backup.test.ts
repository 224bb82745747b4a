import { describe, expect, it } from "vitest";
import type { BackupSettings } from "./repository.ts";
import { readBackup } from "./settings-backup.ts";
import { Section } from "./settings-reader.ts";
import { Source } from "./settings-source.ts";

const KEY = `age1${"q".repeat(58)}`;

function read(text: string): { settings: BackupSettings | undefined; said: readonly string[] } {
  const source = new Source(text, "node.yml");
  const root = new Section(source, { path: "", offset: 0 }, source.document.contents);
  const settings = readBackup(root);
  const said = [...source.problems, ...source.warnings].map(
    ({ line, message }) => `${line}: ${message}`,
  );
  return { settings, said };
}

describe("the section backup", () => {
  it("reads how long backups stay, for all repositories or for one", () => {
    const { settings, said } = read(`
backup:
  retention: {base: {count: 7, days: 30}, logical: {days: 14}}
  repositories:
    near: {directory: /var/backups/pg}
    far: {s3: {bucket: pg-far}, retention: {base: {count: 3}}}
`);
    expect(said).toEqual([]);
    const days = 86_400_000;
    expect(settings?.repositories.map(({ retention }) => retention)).toEqual([
      { base: { count: 7, spanMs: 30 * days }, logical: { count: 1, spanMs: 14 * days } },
      { base: { count: 3, spanMs: undefined }, logical: undefined },
    ]);
  });

  it("reads what runs by itself, as rows of moments", () => {
    const { settings, said } = read(`
backup:
  repositories: {near: {directory: /var/backups/pg}}
  schedules:
    base: {at: "02:30"}
    logical: {at: "3:05", on: sunday, databases: [shop, bank]}
    verify: {every: 12h}
    while_paused: wait
`);
    expect(said).toEqual([]);
    expect(settings?.schedules?.waitInPause).toBe(true);
    const { base, logical, verify } = settings?.schedules?.jobs ?? {};
    expect(base).toMatchObject({ periodMs: 86_400_000, text: "at 02:30 UTC" });
    expect(verify).toMatchObject({ periodMs: 43_200_000, text: "every 12h" });
    expect(logical).toMatchObject({ databases: ["shop", "bank"], periodMs: 7 * 86_400_000 });
    const moment = new Date(logical?.anchorMs ?? 0);
    expect([moment.getUTCDay(), moment.toISOString()]).toEqual([
      0,
      expect.stringContaining("T03:05:00"),
    ]);
  });

  it.each([
    ["{nightly: {every: 1d}}", "backup.schedules.nightly is no job that runs by schedule"],
    ["{base: {every: 1s}}", "backup.schedules.base.every must be a time of a minute or more"],
    ["{base: {at: half past two}}", "backup.schedules.base.at must be a time of day"],
    ["{base: {at: '02:30', every: 1h}}", "backup.schedules.base needs either every"],
    ["{base: {}}", "backup.schedules.base needs either every"],
    ["{base: {at: '02:30', on: someday}}", "backup.schedules.base.on must be one of"],
    ["{logical: {every: 1d}}", "backup.schedules.logical needs databases"],
    ["{expire: {every: 1d}}", "backup.retention is missing"],
  ])("refuses the schedules %s", (schedules, words) => {
    const repositories = "{near: {directory: /var/backups/pg}}";
    const { said } = read(`backup: {schedules: ${schedules}, repositories: ${repositories}}`);
    expect(said).toContainEqual(expect.stringContaining(words));
  });

  it.each([
    ["{base: {}}", "backup.retention.base says nothing"],
    ["{base: {count: 0}}", "backup.retention.base.count must be at least 1"],
    ["{base: {days: many}}", 'backup.retention.base.days must be a whole number, not "many"'],
    ["{full: {count: 7}}", "backup.retention.full"],
  ])("refuses the retention %s", (retention, words) => {
    const repositories = "{near: {directory: /var/backups/pg}}";
    const { said } = read(`backup: {retention: ${retention}, repositories: ${repositories}}`);
    expect(said).toContainEqual(expect.stringContaining(words));
  });

  it("says how drills are done, and what is wrong with that", () => {
    const place = "repositories: {near: {directory: /var/backups/pg}}";
    const { settings, said } = read(`
backup:
  ${place}
  drill:
    directory: /srv/drill/
    amcheck: off
    max_age: 2d
    queries: {orders: {database: shop, sql: "SELECT 1", expect: 1}}
`);
    expect(said).toEqual([]);
    expect(settings?.drill).toEqual({
      directory: "/srv/drill",
      keyFile: undefined,
      signers: [],
      amcheck: false,
      queries: [{ name: "orders", database: "shop", sql: "SELECT 1", expect: "1" }],
      oldAfterMs: 2 * 86_400_000,
    });
    const wrong = read(`
backup:
  ${place}
  drill:
    directory: drills
    max_age: soon
    signers: [me]
    queries: {orders: {sql: "SELECT 1"}}
`);
    expect(wrong.said).toEqual([
      '5: backup.drill.directory must be a whole path, not "drills"',
      '6: backup.drill.max_age must be a time like 8d, not "soon"',
      expect.stringContaining('"me" is no key\'s name'),
      expect.stringContaining("backup.drill.queries.orders.expect is missing"),
    ]);
  });

  it("may be left out", () => {
    expect(read("name: a")).toEqual({ settings: undefined, said: [] });
  });

  it("reads directories and buckets, and how objects are packed", () => {
    const { settings, said } = read(`
backup:
  repositories:
    near: {directory: /var/backups/pg/, storage: nas}
    far:
      off_site: true
      s3: {bucket: pg-far, region: eu-central-1, endpoint: "https://s3.example.com/", prefix: /a/b/,
           path_style: true, access_key: AK, secret_key_file: /etc/secret}
  compression: gzip
  encryption: {recipients: [${KEY}], identity_file: /etc/identity}
`);
    expect(said).toEqual([]);
    expect(settings).toMatchObject({
      compression: "gzip",
      recipients: [KEY],
      identityFile: "/etc/identity",
      repositories: [
        {
          name: "near",
          place: { kind: "directory", directory: "/var/backups/pg" },
          storage: "nas",
          offSite: false,
        },
        {
          name: "far",
          storage: "object-store",
          offSite: true,
          place: {
            kind: "s3",
            bucket: "pg-far",
            region: "eu-central-1",
            endpoint: "https://s3.example.com",
            prefix: "a/b",
            pathStyle: true,
            keys: { secretKey: { kind: "file", file: "/etc/secret" } },
          },
        },
      ],
    });
    expect(JSON.stringify(settings)).not.toContain("AK");
  });

  it("compresses with zstd and encrypts nothing unless told", () => {
    const { settings } = read("backup: {repositories: {near: {directory: /b}}}");
    expect(settings).toMatchObject({
      compression: "zstd",
      recipients: [],
      identityFile: undefined,
    });
  });

  it.each([
    ["backup: {compression: zstd}", "1: backup.repositories is missing"],
    ["backup: {repositories: {near: {}}}", "1: backup.repositories.near needs a place"],
    ["backup: {repositories: {near: {directory: a/b}}}", "must be a whole path"],
    ["backup: {repositories: {near: {directory: /a, s3: {bucket: abc}}}}", "needs a place: either"],
    ["backup: {repositories: {Near!: {directory: /a}}}", "must be a short name"],
    [
      "backup: {repositories: {a: {directory: /a}, b: {directory: /a/}}}",
      "b is the same place as a",
    ],
    ["backup: {repositories: {a: {s3: {}}}}", "a.s3.bucket is missing"],
    ["backup: {repositories: {a: {s3: {bucket: B}}}}", "must be the name of a bucket"],
    ["backup: {repositories: {a: {s3: {bucket: abc, endpoint: s3.local}}}}", "must be a URL like"],
    ["backup: {repositories: {a: {s3: {bucket: abc, access_key: x}}}}", "secret_key is missing"],
    ["backup: {repositories: {a: {s3: {bucket: abc, secret_key: x}}}}", "access_key is missing"],
    [
      "backup: {repositories: {a: {s3: {bucket: abc, access_key: x, access_key_file: /y}}}}",
      "access_key_file stands beside access_key",
    ],
    [
      "backup: {repositories: {a: {directory: /a}}, wal_budget: much}",
      "must be bytes or an amount",
    ],
    [
      "backup: {repositories: {a: {directory: /a, required: false}}}",
      "repositories has none that is required",
    ],
    ["backup: {repositories: {a: {directory: /a}}, compression: lz4}", "must be one of zstd, gzip"],
    [
      "backup: {repositories: {a: {directory: /a}}, encryption: {recipients: [age1x]}}",
      "is not a public key",
    ],
    [
      "backup: {repositories: {a: {directory: /a}}, encryption: {recipients: [AGE-SECRET-KEY-1X]}}",
      "has a private key",
    ],
    [
      "backup: {repositories: {a: {directory: /a}}, encryption: {identity_file: /i}}",
      "stands without recipients",
    ],
  ])("says in one line what is wrong with %s", (text, complaint) => {
    const { said } = read(text);
    expect(said.filter((line) => line.includes(complaint))).toHaveLength(1);
  });
});
