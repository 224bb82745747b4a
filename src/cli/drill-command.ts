// Commands that make an emergency on purpose, so that the real one finds everybody prepared.
import type { Command } from "commander";
import { registerDrillFailover } from "./drill-failover-command.ts";

export function registerDrill(program: Command): void {
  const drill = program.command("drill").description("emergencies on purpose, measured and kept");
  registerDrillFailover(drill);
}
