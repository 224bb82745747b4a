// Commands that make an emergency on purpose, so that the real one finds everybody prepared.
import type { Command } from "commander";
import { registerDrillFailover } from "./drill-failover-command.ts";
import { registerRestoreDrills } from "./restore-drill-commands.ts";

export function registerDrill(program: Command): void {
  const drill = program
    .command("drill")
    .description("emergencies on purpose, measured and kept: restores of backups, failovers");
  registerRestoreDrills(drill);
  registerDrillFailover(drill);
}
