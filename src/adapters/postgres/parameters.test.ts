import { expect, test } from "vitest";
import { holdBack, type NodeFacts, settleParameters } from "./parameters.ts";

const facts: NodeFacts = {
  listen: ["10.0.0.1", "127.0.0.1"],
  port: 5433,
  socketDir: "/run/pg",
  clusterName: "shop",
  dataDir: "/data",
  diskBytes: 100 * 1024 ** 3,
  syncfsTellsErrors: true,
};
const plan = (parameters: Record<string, string>, members = 3) => ({
  parameters,
  pgHba: [],
  pgIdent: [],
  members,
});

test("the address and what standbys depend on are on the command line, the rest in the file", () => {
  const { commandLine, file } = settleParameters(plan({ work_mem: "8MB" }), facts);
  expect(commandLine).toMatchObject({ listen_addresses: "10.0.0.1,127.0.0.1", port: "5433" });
  // tidy-allow: PostgreSQL's own name of this level
  expect(commandLine).toMatchObject({ wal_level: "replica", max_connections: "100" });
  expect(file).toMatchObject({ work_mem: "8MB", wal_sender_timeout: "5s" });
  expect(file).not.toHaveProperty("listen_addresses");
});

test("the user wins above the minimum, whatever the case of the name", () => {
  const { commandLine } = settleParameters(
    plan({ Max_Connections: "500", wal_level: "logical" }),
    facts,
  );
  expect(commandLine).toMatchObject({ max_connections: "500", wal_level: "logical" });
});

test.each([
  ["max_wal_senders", "5", "at least 6 is needed with 3 members"],
  ["max_connections", "many", "at least 25 is needed with 3 members"],
  // tidy-allow: PostgreSQL's own name of this level
  ["wal_level", "minimal", "replica or logical is needed"],
  ["wal_log_hints", "off", "on is needed, or a diverged member could not be rewound"],
  ["a b", "1", "this is no parameter name"],
])("%s = %s is refused with what is needed", (name, value, why) => {
  expect(() => settleParameters(plan({ [name]: value }), facts)).toThrowError(
    expect.objectContaining({ code: "PG_PARAMETER_REFUSED", why }),
  );
});

test("two ways to archive are refused, since the server would obey one at the most", () => {
  const asked = { archive_command: "cp %p /wal/%f", archive_library: "basic_archive" };
  expect(() => settleParameters(plan(asked), facts)).toThrow(/archive_command is set too/);
  const { file } = settleParameters(plan({ ...asked, archive_library: "" }), facts);
  expect(file).toMatchObject({ archive_command: "cp %p /wal/%f" });
});

test("the minimum grows with the cluster", () => {
  expect(() => settleParameters(plan({ max_wal_senders: "10" }, 8), facts)).toThrow(/at least 11/);
});

test("what is ours alone is not taken from the user", () => {
  const asked = { primary_conninfo: "host=evil", listen_addresses: "*", hot_standby: "off" };
  const { commandLine, file } = settleParameters(plan(asked), facts);
  expect(commandLine).toMatchObject({ listen_addresses: "10.0.0.1,127.0.0.1", hot_standby: "on" });
  expect(file).not.toHaveProperty("primary_conninfo");
});

test("a standby keeps the room that its primary had", () => {
  const limits = {
    max_connections: 300,
    max_worker_processes: 4,
    max_wal_senders: 10,
    max_prepared_transactions: 0,
    max_locks_per_transaction: 64,
  };
  const { commandLine } = holdBack(
    settleParameters(plan({ max_connections: "100" }), facts),
    limits,
  );
  expect(commandLine).toMatchObject({ max_connections: "300", max_worker_processes: "8" });
});

test("absent members may hold back a fifth of the disk, at most 64 GB", () => {
  const limit = (diskBytes: number | undefined) =>
    settleParameters(plan({}), { ...facts, diskBytes }).file["max_slot_wal_keep_size"];
  expect(limit(100 * 1024 ** 3)).toBe("20480MB");
  expect(limit(10_000 * 1024 ** 3)).toBe("65536MB");
  expect(limit(1024 ** 3)).toBe("1024MB");
});
