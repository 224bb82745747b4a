// What does this node's own file say? (the YAML in Patroni's form, checked; the parser is in settings-file.ts)

import type { Address } from "./address.ts";
import type { AvailabilitySettings } from "./availability.ts";
import type { WishedTarget } from "./backup-words.ts";
import type { FrontDoorSettings } from "./front-door.ts";
import type { ScheduledGameDay } from "./game-day/scheduled.ts";
import type { BackupSettings, RepositorySettings } from "./repository.ts";
import type { RouterSettings } from "./router-settings.ts";
import type { Secret } from "./secret.ts";
import type { Ms } from "./time.ts";

export interface Credentials {
  readonly username: string;
  readonly password: Secret | undefined;
}

/**
 * libpq's options that protect a connection over the network, under its own names. A missing one means what libpq means
 * by its absence.
 */
export type Protection = Readonly<
  Partial<
    Record<
      | "sslmode"
      | "sslcert"
      | "sslkey"
      | "sslrootcert"
      | "sslcrl"
      | "sslcrldir"
      | "gssencmode"
      | "krbsrvname"
      | "channel_binding",
      string
    >
  >
>;

/** A role of the servers. */
export interface DatabaseLogin extends Credentials {
  readonly protection?: Protection;
  /** Opens the file `sslkey`. */
  readonly keyPassword?: Secret;
}

export interface TlsFiles {
  readonly certfile?: string;
  readonly keyfile?: string;
  readonly cafile?: string;
  /** Opens the file of the key. */
  readonly keyPassword?: Secret;
}

export interface RestSettings {
  readonly listen: Address;
  readonly connectAddress: Address;
  readonly authentication?: Credentials;
  readonly tls?: TlsFiles & {
    readonly verifyClient: "none" | "optional" | "required";
    /** OpenSSL's list of ciphers; Node's own when left out. */
    readonly ciphers?: string;
  };
  /** Sent with every answer. */
  readonly headers: Readonly<Record<string, string>>;
  /** How many connections may wait to be taken; the system's own number when left out. */
  readonly queueSize?: number;
  /** Addresses, networks, and names that are resolved at each change. */
  readonly allowlist: readonly string[];
  /** Members may change things too, by the addresses that they publish. */
  readonly allowsMembers: boolean;
}

/** SRV records of a domain, as etcd publishes its members; a suffix tells one store of the domain from another. */
export interface StoreDiscovery {
  readonly domain: string;
  readonly suffix?: string;
}

export interface StoreSettings {
  readonly kind: "etcd";
  /** Base URLs without a trailing slash, e.g. `http://10.0.0.1:2379`. */
  readonly endpoints: readonly string[];
  /** Who has more of them: names in the DNS, looked up when the agent starts. */
  readonly discovery?: StoreDiscovery;
  readonly credentials?: Credentials;
  readonly tls?: TlsFiles;
}

/** Tags as published; the ones that Understudy itself reads are named, others are kept as they are. */
export interface Tags {
  readonly nofailover: boolean;
  readonly noloadbalance: boolean;
  readonly nosync: boolean;
  readonly clonefrom: boolean;
  readonly nostream: boolean;
  readonly failoverPriority: number;
  /** Who of several is synchronous: the highest goes first; 1 unless set. */
  readonly syncPriority?: number;
  readonly replicatefrom?: string;
  readonly custom: Readonly<Record<string, unknown>>;
}

export const DEFAULT_TAGS: Tags = {
  nofailover: false,
  noloadbalance: false,
  nosync: false,
  clonefrom: false,
  nostream: false,
  failoverPriority: 1,
  custom: {},
};

/** A command of the user's that makes a data directory. */
export interface OwnMethod {
  readonly name: string;
  readonly command: string;
  /** It gets no arguments: what it must know stands in its own configuration, and in PGDATA. */
  readonly isBare: boolean;
  /** `--key=value` of the other keys of its section. */
  readonly parameters: readonly string[];
}

/** Our own backups make a copy for a standby: the newest that is proven, and the WAL behind it. */
export interface BackupCopy {
  readonly name: "backup";
  /** Of the section `backup`; undefined: its first one. */
  readonly repository: string | undefined;
}

/** Our own backups make a new cluster. */
export interface BackupOrigin extends BackupCopy {
  /** A place that is only read from, instead of a repository of the section `backup`. */
  readonly place: RepositorySettings["place"] | undefined;
  /** Whose backups, by name; undefined: those of a cluster of this name. */
  readonly scope: string | undefined;
  /** Whose backups, where several clusters of that name have some. */
  readonly systemId: string | undefined;
  /** Undefined: the one that the target asks for. */
  readonly id: string | undefined;
  readonly to: WishedTarget;
  /** Undefined: the newest that continues the backup's. */
  readonly timeline: number | undefined;
  /** Private keys, instead of those of the section `backup`. */
  readonly identityFile: string | undefined;
}

export type CloneMethod = "basebackup" | BackupCopy | OwnMethod;

/** Commands of the user's that are told of a change; each gets action, role and scope as arguments. */
export interface CallbackSettings {
  readonly on_start?: string;
  readonly on_stop?: string;
  readonly on_restart?: string;
  readonly on_reload?: string;
  readonly on_role_change?: string;
}

/** A configuration file of the administrator's. */
export interface BaseConfig {
  readonly path: string;
  /** The server does not start without it. */
  readonly isNeeded: boolean;
}

export interface PostgresSettings {
  /** Addresses to listen on, without the port. */
  readonly listen: readonly string[];
  readonly port: number;
  readonly connectAddress: Address;
  /** Of a pooler in front of the server, told to others in the store. */
  readonly proxyAddress?: Address;
  readonly dataDir: string;
  /** Our own files beside the data: lease, lineage, markers, pass file, sockets. Default `<dataDir>.understudy`. */
  readonly stateDir: string;
  /** Folder of postgres, initdb, pg_basebackup…; empty means: found by version, newest first, then PATH. */
  readonly binDir: string;
  /** Names of programs in it that are not the usual ones, by those. */
  readonly binNames: Readonly<Record<string, string>>;
  /** What postgresql.conf begins with, instead of the file that was there before us. */
  readonly baseConfig?: BaseConfig;
  readonly socketDir: string;
  readonly database: string;
  readonly superuser: DatabaseLogin;
  readonly replication: DatabaseLogin;
  readonly rewind: DatabaseLogin | undefined;
  readonly parameters: Readonly<Record<string, string>>;
  readonly pgHba: readonly string[];
  readonly pgIdent: readonly string[];
  readonly basebackupOptions: readonly string[];
  /** How a copy is made, in the order of trying. */
  readonly cloneMethods: readonly CloneMethod[];
  readonly callbacks: CallbackSettings;
  /** Must succeed before this server is promoted; a failure gives the leadership back. */
  readonly prePromote: string | undefined;
  /** Runs before this server is stopped in good order; its outcome changes nothing. */
  readonly beforeStop: string | undefined;
  /** The unprivileged user that runs PostgreSQL when the agent was started as root. */
  readonly osUser: string;
}

export interface BootstrapSettings {
  /** `bootstrap.dcs` as written: it becomes the first dynamic configuration. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Options of initdb, e.g. `--data-checksums`, `--encoding=UTF8`. */
  readonly initdb: readonly string[];
  /** Instead of initdb. */
  readonly method: BackupOrigin | OwnMethod | undefined;
  readonly pgHba: readonly string[];
  readonly postBootstrap: string | undefined;
}

export interface WatchdogSettings {
  readonly mode: "off" | "automatic" | "required";
  readonly device: string;
  /** How long after its last feeding the device resets the host; undefined for Patroni's -1, half of the ttl there. */
  readonly safetyMarginMs: Ms | undefined;
  /** A pipe whose reader sees what a device would be told. */
  readonly isForTests: boolean;
}

export interface LogSettings {
  readonly level: "error" | "warn" | "info" | "debug";
  readonly file: string | undefined;
  /** Patroni's lines instead of JSON, with its own texts where its readers look for them. */
  readonly isPatronis: boolean;
}

/** What every agent has, with a server of its own or without. */
export interface AgentSettings {
  readonly scope: string;
  readonly name: string;
  readonly namespace: string;
  readonly rest: RestSettings;
  readonly store: StoreSettings;
  readonly log: LogSettings;
  /** What is measured by writes of our own; nothing unless the file says so. */
  readonly availability?: AvailabilitySettings;
}

/** An agent without `postgresql`: it sends clients to the members and does nothing else. */
export interface RouterNodeSettings extends AgentSettings {
  /** Where the agent keeps what it must remember. */
  readonly stateDir: string;
  readonly router: RouterSettings;
}

export interface NodeSettings extends AgentSettings {
  readonly postgres: PostgresSettings;
  readonly bootstrap: BootstrapSettings;
  readonly tags: Tags;
  readonly watchdog: WatchdogSettings;
  /** Clients come in here as well. */
  readonly router?: RouterSettings;
  /** What moves with the leadership: an address, or whatever a command moves. */
  readonly frontDoor?: FrontDoorSettings;
  /** Where backups and WAL go. */
  readonly backup?: BackupSettings;
  /** Failovers on purpose that are made by themselves; none unless the file names its cluster once more for them. */
  readonly gameDays?: readonly ScheduledGameDay[];
}
