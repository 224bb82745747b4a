// How does a router live and leave? The agent of a node without a server.
import type { RouterNodeSettings } from "../model/settings.ts";
import { VERSION } from "../model/version.ts";
import { createRouterApi } from "./api/router-api.ts";
import { openAvailability } from "./availability/open.ts";
import { Chronicle } from "./chronicle/chronicle.ts";
import { composeRouter } from "./compose-router.ts";
import { composeShared } from "./compose-shared.ts";

/** Runs until a signal ends it; answers the exit code. Throws what keeps it from starting. */
export async function runRouter(settings: RouterNodeSettings): Promise<number> {
  const shared = composeShared(settings);
  const { clock, log } = shared.ports;
  process.on("uncaughtExceptionMonitor", (error) => log.error("the agent is broken", { error }));
  const router = composeRouter(shared.ports, settings, settings.router);
  const chronicle = await Chronicle.open({
    node: settings.name,
    stateDir: settings.stateDir,
    version: VERSION,
    clock,
    places: undefined,
  });
  const availability = openAvailability(settings, settings.stateDir, {
    clock,
    log,
    tell: (outage) => chronicle.clients(outage),
  });
  const api = createRouterApi({ router, settings, clock, log, chronicle, availability });
  // The own address first: a second agent on this host stops here, before it has touched anything.
  await api.listen();
  log.info("the router starts", { version: VERSION, scope: settings.scope });
  process.on("SIGHUP", () => shared.reopenLog());
  router.onLook((last) => chronicle.routed(last));
  router.start();
  await availability?.start();
  const programs = await leaving();
  log.info("the router leaves", { programs });
  chronicle.leaving(programs);
  await availability?.stop();
  await router.stop(programs);
  await api.close();
  await chronicle.close();
  shared.close();
  return 0;
}

/** SIGTERM and SIGINT end the programs too; after SIGUSR2 they and their clients stay, for an upgrade of the agent. */
const leaving = (): Promise<"end" | "stay"> =>
  new Promise((resolve) => {
    process.on("SIGTERM", () => resolve("end"));
    process.on("SIGINT", () => resolve("end"));
    process.on("SIGUSR2", () => resolve("stay"));
  });
