// Does a node's YAML file say something that we can obey? (Patroni's form, with line and column of every complaint)
import { assert } from "./error.ts";
import type { Finding } from "./finding.ts";
import type {
  AgentSettings,
  BootstrapSettings,
  NodeSettings,
  RouterNodeSettings,
} from "./settings.ts";
import { readAvailability } from "./settings-availability.ts";
import { readBackup } from "./settings-backup.ts";
import { readDynamic } from "./settings-dynamic.ts";
import { overridesIn } from "./settings-environment.ts";
import { readFrontDoor } from "./settings-front-door.ts";
import { readGameDays } from "./settings-game-days.ts";
import { readBootstrapMethod } from "./settings-methods.ts";
import { readOptions } from "./settings-options.ts";
import { readPostgres } from "./settings-postgres.ts";
import { Section } from "./settings-reader.ts";
import { type CtlSettings, readCtl, readRest } from "./settings-rest.ts";
import { readRouter } from "./settings-router.ts";
import { Source } from "./settings-source.ts";
import { readStore } from "./settings-store.ts";
import { readLog, readTags, readWatchdog } from "./settings-tags.ts";

/** A file that can be obeyed, with what is odd about it; or the problems for which it can't. */
export type NodeFile =
  | {
      readonly kind: "settings";
      readonly settings: NodeSettings;
      readonly ctl: CtlSettings;
      readonly warnings: readonly Finding[];
    }
  | {
      readonly kind: "router";
      readonly settings: RouterNodeSettings;
      readonly ctl: CtlSettings;
      readonly warnings: readonly Finding[];
    }
  | {
      readonly kind: "refused";
      readonly problems: readonly Finding[];
      readonly warnings: readonly Finding[];
    };

/** What else a file's meaning hangs on. */
export interface Around {
  /** Patroni's variables in it win over the file. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Where relative names of files begin: the agent's working directory, as with Patroni. */
  readonly folder?: string;
}

/** Parses and checks a whole file. An unknown key is a warning; a wrong type or impossible value a problem. */
export function parseNodeFile(
  text: string,
  fileName: string,
  { environment = {}, folder = "/" }: Around = {},
): NodeFile {
  const source = new Source(text, fileName, { folder, overrides: overridesIn(environment) });
  const refused = (): NodeFile => ({
    kind: "refused",
    problems: source.problems,
    warnings: source.warnings,
  });
  // A broken tree has sections in wrong places: complaints about those would only distract.
  if (source.problems.length > 0) return refused();
  const root = new Section(source, { path: "", offset: 0 }, source.document.contents);
  const read = readAll(root);
  const ctl = readCtl(root);
  root.notUsed("citus", "thread_pool_size", "thread_stack_size");
  root.close();
  if (source.problems.length > 0) return refused();
  return { ...read, ctl, warnings: source.warnings };
}

/** A file without `postgresql` that has a `router` is a router's. */
function readAll(root: Section): Read {
  const common = readCommon(root);
  if (root.has("router") && !root.has("postgresql")) return readRouterNode(root, common);
  const backup = readBackup(root);
  const repositories = (backup?.repositories ?? []).map(({ name }) => name);
  const postgres = readPostgres(root, repositories);
  const rest = readRest(root, {
    listen: postgres.listen[0] ?? "",
    connect: postgres.connectAddress.host,
  });
  const router = readRouter(root, postgres.stateDir);
  const frontDoor = readFrontDoor(root);
  const gameDays = readGameDays(root);
  const settings: NodeSettings = {
    ...common,
    rest,
    postgres,
    bootstrap: readBootstrap(root, repositories),
    tags: readTags(root),
    watchdog: readWatchdog(root),
    ...(router === undefined ? {} : { router }),
    ...(frontDoor === undefined ? {} : { frontDoor }),
    ...(backup === undefined ? {} : { backup }),
    ...(gameDays === undefined ? {} : { gameDays }),
  };
  return { kind: "settings", settings };
}

type Read =
  | { readonly kind: "settings"; readonly settings: NodeSettings }
  | { readonly kind: "router"; readonly settings: RouterNodeSettings };

type Common = Omit<AgentSettings, "rest">;

function readCommon(root: Section): Common {
  const availability = readAvailability(root);
  const namespace = (root.text("namespace") ?? "service").replace(/^\/+|\/+$/g, "");
  return {
    scope: readName(root, "scope", "the name of the cluster"),
    name: readName(root, "name", "the name of this node, unique in its cluster"),
    namespace: namespace === "" ? "service" : namespace,
    store: readStore(root),
    log: readLog(root),
    ...(availability === undefined ? {} : { availability }),
  };
}

function readRouterNode(root: Section, common: Common): Read {
  const rest = readRest(root, { listen: "", connect: "" });
  if (rest.connectAddress.host === "")
    root.problem("restapi", "is missing: connect_address, how others reach this router's agent");
  const own = root.section("understudy");
  const stateDir = own.text("state_dir") ?? `/var/lib/understudy/${common.name}`;
  own.close();
  const router = readRouter(root, stateDir);
  assert(router !== undefined, "a router's file has the section");
  return { kind: "router", settings: { ...common, rest, router, stateDir } };
}

/** Names become parts of keys in the store and of slot names, so their characters are limited. */
function readName(root: Section, key: "scope" | "name", hint: string): string {
  const text = root.required(key, hint);
  if (/[\s/\\'"\p{Cc}]/u.test(text)) {
    root.problem(key, "must not contain spaces, slashes or quotes");
  }
  if (text.length > 63) root.problem(key, "must have at most 63 characters");
  return text;
}

function readBootstrap(root: Section, repositories: readonly string[]): BootstrapSettings {
  const section = root.section("bootstrap");
  const bootstrap: BootstrapSettings = {
    config: readDynamic(section),
    initdb: readOptions(section, "initdb"),
    method: readBootstrapMethod(section, repositories),
    pgHba: section.texts("pg_hba"),
    postBootstrap: section.text("post_bootstrap") ?? section.text("post_init"),
  };
  section.notUsed("users");
  section.close();
  return bootstrap;
}
