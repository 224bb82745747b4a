// How does an agent live and leave? It puts the node and the API together and ends them in the right order.
import { AppError, asAppError } from "../model/error.ts";
import type { NodeSettings } from "../model/settings.ts";
import type { Ms } from "../model/time.ts";
import { VERSION } from "../model/version.ts";
import { apiUrlOf } from "../node/self.ts";
import { createNode, type Node } from "../node/start.ts";
import { createApi } from "./api/api.ts";
import type { RequestOutcome } from "./api/node-view.ts";
import { type Composed, compose } from "./compose.ts";
import { loadNode } from "./load.ts";
import { createView } from "./view.ts";

const CHECK_LIMIT_MS: Ms = 2_000;
const FENCE_QUIT_MS: Ms = 2_000;

type Leaving = "stop" | "detach";

/** Runs until a signal or a request ends it; answers the exit code. Throws what keeps it from starting. */
export async function runAgent(file: string, settings: NodeSettings): Promise<number> {
  const composed = await compose(settings);
  const { ports } = composed;
  const { clock, log } = ports;
  const node = await createNode(ports, { settings, agentVersion: VERSION });
  let leave: (how: Leaving) => void = () => undefined;
  const leaving = new Promise<Leaving>((resolve) => {
    leave = resolve;
  });
  const view = createView({
    node,
    settings,
    clock,
    peers: ports.peers,
    serverLog: composed.serverLog,
    reload: () => reload(file, node),
    detach: () => leave("detach"),
  });
  const api = createApi({ node: view, settings, clock, log, agentVersion: VERSION });
  // The own address first: a second agent on this host stops here, before it has touched anything.
  await api.listen();
  await refuseTwin(composed, node, settings);
  log.info("the agent starts", { version: VERSION, scope: settings.scope });
  await node.start();
  onSignals(leave, () => void reload(file, node));
  const how = await leaving;
  log.info("the agent leaves", { how });
  await (how === "stop" ? node.stop() : node.detach());
  await api.close();
  if (how === "stop") await quitFence(composed);
  composed.close();
  return 0;
}

function onSignals(leave: (how: Leaving) => void, reloadFile: () => void): void {
  process.on("SIGTERM", () => leave("stop"));
  process.on("SIGINT", () => leave("stop"));
  process.on("SIGHUP", reloadFile);
}

async function reload(file: string, node: Node): Promise<RequestOutcome> {
  const settings = await loadNode(file).catch(() => undefined);
  if (settings === undefined) {
    return { kind: "failed", code: "CONFIG_INVALID", why: `${file} was not taken over` };
  }
  node.reconfigure(settings);
  return { kind: "done" };
}

async function quitFence({ ports, fence }: Composed): Promise<void> {
  using limit = ports.clock.deadline(FENCE_QUIT_MS);
  await fence
    .quit(limit.signal)
    .catch((error: unknown) => ports.log.warn("the fence stays", { error }));
}

/** R10: another agent of this name at another address. A store that can't be read now is tried again later. */
async function refuseTwin({ ports }: Composed, node: Node, settings: NodeSettings): Promise<void> {
  const members = await membersOf(node, ports.log);
  const own = apiUrlOf(settings.rest);
  const twin = members.find((m) => m.name === settings.name && m.apiUrl !== own);
  if (twin === undefined) return;
  const answer = await ports.peers.ask(twin.apiUrl, CHECK_LIMIT_MS);
  if (answer.kind === "unknown" || answer.value.name !== settings.name) return;
  throw new AppError(
    "NAME_IN_USE",
    `start the agent ${settings.name}`,
    `one answers at ${twin.apiUrl}`,
  );
}

async function membersOf(node: Node, log: Composed["ports"]["log"]) {
  try {
    return (await node.dcs.snapshot(CHECK_LIMIT_MS)).members;
  } catch (error) {
    const failure = asAppError(error, "STORE_UNREACHABLE", "read the store at the start");
    if (failure.code === "STORE_REFUSED") throw failure;
    log.warn("the store cannot be read yet, the agent goes on trying", { why: failure.message });
    return [];
  }
}
