// Which commands are there? One tree, for the command line and for its reference.
import { Command } from "commander";
import { VERSION } from "../model/version.ts";
import { registerAdopt } from "./adopt-commands.ts";
import { registerAgent } from "./agent-command.ts";
import { registerBackup } from "./backup-commands.ts";
import { registerCompletion } from "./completion.ts";
import { registerConfig } from "./config-commands.ts";
import { registerDoctor } from "./doctor-command.ts";
import { registerDrill } from "./drill-command.ts";
import { registerEvents } from "./event-commands.ts";
import { registerExplain } from "./explain-command.ts";
import { registerHandover } from "./handover-commands.ts";
import { registerIncidents } from "./incident-commands.ts";
import { registerLab } from "./lab.ts";
import { registerLag } from "./lag-command.ts";
import { registerLogs } from "./log-command.ts";
import { registerLooking } from "./look-commands.ts";
import { registerMembers } from "./member-commands.ts";
import { registerPause } from "./pause-commands.ts";
import { registerPools } from "./pool-commands.ts";
import { registerReport } from "./report-command.ts";
import { registerRestart } from "./restart-commands.ts";
import { registerRestore } from "./restore-command.ts";
import { registerRouter } from "./router-commands.ts";
import { registerSite } from "./site-commands.ts";
import { registerSlo } from "./slo-commands.ts";
import { registerSlots } from "./slot-commands.ts";
import { registerStore } from "./store-commands.ts";
import { print } from "./terminal.ts";
import { registerWal } from "./wal-command.ts";

export function buildProgram(): Command {
  const program = new Command("understudy")
    .description("makes a handful of PostgreSQL servers one highly available service")
    .option("-c, --config <file>", "a node's file; else UNDERSTUDY_CONFIG, else the only lab")
    .version(VERSION, "-V, --version", "print the version")
    .showSuggestionAfterError()
    .exitOverride();
  registerLooking(program);
  registerLag(program);
  registerLogs(program);
  registerEvents(program);
  registerIncidents(program);
  registerSlo(program);
  registerHandover(program);
  registerRestart(program);
  registerMembers(program);
  registerPause(program);
  registerSite(program);
  registerSlots(program);
  registerWal(program);
  registerPools(program);
  registerRouter(program);
  registerStore(program);
  registerBackup(program);
  registerRestore(program);
  registerDrill(program);
  registerConfig(program);
  registerDoctor(program);
  registerExplain(program);
  registerAdopt(program);
  registerReport(program);
  registerCompletion(program);
  registerAgent(program);
  registerLab(program);
  program
    .command("version")
    .description("print the version")
    .action(() => print(VERSION));
  return program;
}
