// Is the host fit to keep a server alive, and is there room for it?
import { printBytes } from "../amounts.ts";
import { type Check, when } from "./check.ts";
import type { DiskFacts, GroundFacts, HostFacts, NodeFacts, PostgresFacts } from "./facts.ts";

/** A server with many tables and partitions opens this many files. */
const FILES_WANTED = 4_096;
const SWAPPINESS_WANTED = 10;
const GIGABYTE = 1024 ** 3;
/** From this size of shared memory on, small pages cost time and memory. */
const HUGE_PAGES_FROM = 8 * GIGABYTE;
const DISK_LOW = 0.15;
const DISK_ALMOST_FULL = 0.05;
const FILES_LOW = 10_000;
/** The oldest major version that is supported. */
const OLDEST_MAJOR = 14;

const onHost =
  (judge: (host: HostFacts, all: NodeFacts) => readonly string[]): Check["found"] =>
  (all) =>
    all.host.kind === "seen" ? judge(all.host.facts, all) : [];

const onGround =
  (judge: (ground: GroundFacts) => readonly string[]): Check["found"] =>
  ({ ground }) =>
    ground === undefined ? [] : judge(ground);

const serverOf = ({ postgres }: NodeFacts): PostgresFacts | undefined =>
  postgres?.kind === "seen" ? postgres.facts : undefined;

const memoryOf = ({ memoryBytes, memoryLimitBytes }: HostFacts): number =>
  Math.min(memoryBytes, memoryLimitBytes ?? memoryBytes);

const freePart = ({ freeBytes, sizeBytes }: DiskFacts): number =>
  sizeBytes === 0 ? 1 : freeBytes / sizeBytes;

const printRoom = ({ path, freeBytes, sizeBytes }: DiskFacts): string =>
  `${path}: ${printBytes(freeBytes)} of ${printBytes(sizeBytes)} are free`;

export const HOST_CHECKS: readonly Check[] = [
  {
    id: "host_unread",
    group: "host",
    severity: "warning",
    wanted: "the host can be looked at",
    why: "what nobody saw is not known to be healthy",
    fix: "let the agent's user read /proc and /sys",
    found: ({ host }) => (host.kind === "unseen" ? [host.why] : []),
  },
  {
    id: "host_overcommit",
    group: "host",
    severity: "warning",
    wanted: "vm.overcommit_memory = 2 on a host that serves only the database",
    why: "the kernel promises memory that it does not have, and then kills a process: the server restarts",
    fix: "sysctl -w vm.overcommit_memory=2, and vm.overcommit_ratio so that shared memory fits; keep it in /etc/sysctl.d",
    found: onHost(({ overcommitMemory }) =>
      when(overcommitMemory !== 2, `vm.overcommit_memory = ${overcommitMemory}`),
    ),
  },
  {
    id: "host_oom_victim",
    group: "host",
    severity: "warning",
    wanted: "an OOM score adjustment of 0 or lower",
    why: "the kernel takes this server before other processes when memory runs out",
    fix: "set OOMScoreAdjust=-900 in the unit of the agent",
    found: onHost(({ oomScoreAdjustment: score }) =>
      when(score !== undefined && score > 0, `the server has an adjustment of ${score}`),
    ),
  },
  {
    id: "host_transparent_huge_pages",
    group: "host",
    severity: "notice",
    wanted: "madvise or never",
    why: "the kernel joins pages at times of its own, and sessions stall meanwhile",
    fix: "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled, and the same at boot",
    found: onHost(({ transparentHugePages }) =>
      when(transparentHugePages === "always", "transparent huge pages are always on"),
    ),
  },
  {
    id: "host_huge_pages",
    group: "host",
    severity: "notice",
    wanted: "huge pages for shared memory of 8 GB and more",
    why: "page tables of every session grow with shared memory: gigabytes with many sessions",
    fix: "set vm.nr_hugepages to shared_buffers / 2 MB plus a tenth, and huge_pages = on",
    found: onHost(({ hugePagesFree }, all) => {
      const server = serverOf(all);
      if (server === undefined || server.sharedBuffersBytes < HUGE_PAGES_FROM) return [];
      if (server.settings["huge_pages_status"] === "on" || hugePagesFree > 0) return [];
      return [`shared_buffers of ${printBytes(server.sharedBuffersBytes)} in small pages`];
    }),
  },
  {
    id: "host_swappiness",
    group: "host",
    severity: "notice",
    wanted: `vm.swappiness of ${SWAPPINESS_WANTED} or less where there is swap`,
    why: "memory of the server is written to disk while the page cache could give way",
    fix: "sysctl -w vm.swappiness=1, and keep it in /etc/sysctl.d",
    found: onHost(({ swappiness, swapBytes }) =>
      when(swapBytes > 0 && swappiness > SWAPPINESS_WANTED, `vm.swappiness = ${swappiness}`),
    ),
  },
  {
    id: "host_clock",
    group: "host",
    severity: "warning",
    wanted: "a clock that is kept in time",
    why: "the order of events in logs of several hosts is wrong, and restores to a moment miss it",
    fix: "run chrony or systemd-timesyncd",
    found: onHost(({ isClockSynchronised }) =>
      when(isClockSynchronised === false, "the clock is not synchronised"),
    ),
  },
  {
    id: "host_open_files",
    group: "host",
    severity: "warning",
    wanted: `at least ${FILES_WANTED} open files`,
    why: "backends fail with too many open files",
    fix: "set LimitNOFILE=65536 in the unit of the agent",
    found: onHost(({ openFilesLimit }) =>
      when(
        openFilesLimit !== undefined && openFilesLimit < FILES_WANTED,
        `a limit of ${openFilesLimit}`,
      ),
    ),
  },
  {
    id: "host_memory",
    group: "host",
    severity: "warning",
    wanted: "shared_buffers below half of the memory",
    why: "sessions and the page cache have no room; the server may not start after a restart",
    fix: "lower shared_buffers to a quarter of the memory",
    found: onHost((host, all) => {
      const shared = serverOf(all)?.sharedBuffersBytes ?? 0;
      const memory = memoryOf(host);
      const found = `shared_buffers of ${printBytes(shared)} in ${printBytes(memory)} of memory`;
      return when(shared > memory / 2, found);
    }),
  },
  {
    id: "host_memory_of_sessions",
    group: "host",
    severity: "notice",
    wanted: "shared_buffers and one work_mem for every connection fit into memory",
    why: "when all connections sort at once, the kernel ends one of them, and the server restarts",
    fix: "lower max_connections (a pooler in front) or work_mem",
    found: onHost((host, all) => {
      const server = serverOf(all);
      if (server === undefined) return [];
      const { sharedBuffersBytes, workMemBytes, maxConnections } = server;
      const memory = memoryOf(host);
      const found = `${maxConnections} connections × ${printBytes(workMemBytes)} of work_mem, with ${printBytes(memory)} of memory`;
      return when(sharedBuffersBytes + maxConnections * workMemBytes > memory, found);
    }),
  },
];

export const GROUND_CHECKS: readonly Check[] = [
  {
    id: "ground_programs",
    group: "ground",
    severity: "critical",
    wanted: `programs of PostgreSQL ${OLDEST_MAJOR} or newer`,
    why: "the server cannot be started",
    fix: "install the package of the server, or set postgresql.bin_dir",
    found: onGround(({ programMajor, programTrouble }) => {
      if (programMajor === undefined) return [programTrouble];
      return when(programMajor < OLDEST_MAJOR, `PostgreSQL ${programMajor}`);
    }),
  },
  {
    id: "ground_version",
    group: "ground",
    severity: "critical",
    wanted: "programs of the data directory's version",
    why: "the server does not start on data of another major version",
    fix: "set postgresql.bin_dir to the matching programs",
    found: onGround(({ programMajor, dataMajor }) =>
      when(
        programMajor !== undefined && dataMajor !== undefined && programMajor !== dataMajor,
        `programs of ${programMajor}, data of ${dataMajor}`,
      ),
    ),
  },
  {
    id: "ground_data_mode",
    group: "ground",
    severity: "critical",
    wanted: "a data directory that only its owner (0700) or his group (0750) can read",
    why: "PostgreSQL refuses to start",
    fix: "chmod 0700 on the data directory",
    found: onGround(({ dataDir, dataMode, holdsCluster }) =>
      when(
        holdsCluster && dataMode !== undefined && (dataMode & 0o027) !== 0,
        `${dataDir} has mode 0${(dataMode ?? 0).toString(8)}`,
      ),
    ),
  },
  {
    id: "ground_address_taken",
    group: "ground",
    severity: "critical",
    wanted: "free addresses",
    why: "agent or server cannot start",
    fix: "end the other program, or choose another port",
    found: onGround(({ takenAddresses }) => takenAddresses.map((at) => `${at} is in use`)),
  },
  {
    id: "disk_almost_full",
    group: "ground",
    severity: "critical",
    wanted: "room on the disks of data and WAL",
    why: "a full disk stops the server, and a standby takes over only to fill up next",
    fix: "see understudy slots for who keeps WAL; free space or grow the disk",
    found: onGround(({ disks }) =>
      disks.filter((disk) => freePart(disk) < DISK_ALMOST_FULL).map(printRoom),
    ),
  },
  {
    id: "disk_low",
    group: "ground",
    severity: "warning",
    wanted: "15 % of the disk free",
    why: "one slot that nobody reads fills the rest in hours",
    fix: "free space or grow the disk; limit slots with max_slot_wal_keep_size",
    found: onGround(({ disks }) =>
      disks
        .filter((disk) => freePart(disk) >= DISK_ALMOST_FULL && freePart(disk) < DISK_LOW)
        .map(printRoom),
    ),
  },
  {
    id: "disk_files",
    group: "ground",
    severity: "warning",
    wanted: `room for ${FILES_LOW} more files`,
    why: "tables and WAL segments are files: without inodes a disk is full although it has room",
    fix: "remove files, or make the file system anew with more inodes",
    // Some file systems count no inodes and say 0 of 0.
    found: onGround(({ disks }) =>
      disks
        .filter(({ freeFiles }) => freeFiles > 0 && freeFiles < FILES_LOW)
        .map(({ path, freeFiles }) => `${path}: ${freeFiles} inodes are free`),
    ),
  },
  {
    id: "disk_shared_with_wal",
    group: "ground",
    severity: "notice",
    wanted: "WAL on a disk of its own",
    why: "a flood of WAL fills the disk of the data, and both compete for the same writes",
    fix: "give initdb a waldir, or move pg_wal to another disk and link it while the server is stopped",
    found: onGround(({ disks, holdsCluster }) =>
      when(
        holdsCluster && disks.length > 1 && new Set(disks.map(({ device }) => device)).size === 1,
        "data and WAL share one disk",
      ),
    ),
  },
];
