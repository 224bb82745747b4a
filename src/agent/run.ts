// How does an agent live and leave? It puts the node and the API together and ends them in the right order.
import { createCallbacks } from "../adapters/hooks/callbacks.ts";
import { wholeName } from "../adapters/system/node-file.ts";
import { actAs } from "../adapters/system/os-user.ts";
import type { HaWorld } from "../controllers/ha/world.ts";
import { printFinding } from "../model/finding.ts";
import type { NodeSettings } from "../model/settings.ts";
import type { Ms } from "../model/time.ts";
import { VERSION } from "../model/version.ts";
import type { LastLook, Node } from "../node/node.ts";
import { createNode } from "../node/start.ts";
import type { Callbacks } from "../ports/callbacks.ts";
import type { Log } from "../ports/log.ts";
import { type Api, createApi } from "./api/api.ts";
import type { NodeView } from "./api/node-view.ts";
import { createBlocking } from "./blocking.ts";
import { eventsUpTo, NOTHING_TOLD } from "./callback-events.ts";
import { type Composed, compose } from "./compose.ts";
import { createDoctor } from "./doctor.ts";
import { sweepAfterBackups, sweepAfterDrills } from "./drills.ts";
import { DynamicFile } from "./dynamic-file.ts";
import { composeDoor } from "./front-door.ts";
import { GameDays } from "./game-days/game-days.ts";
import type { LoadedNode } from "./load.ts";
import { PatroniTexts } from "./patroni-texts.ts";
import { createReload } from "./reload.ts";
import { openStory, type Story } from "./story.ts";
import { refuseStranger } from "./stranger.ts";
import { createView } from "./view.ts";
import { composeWork, type Work } from "./work.ts";

const FENCE_QUIT_MS: Ms = 2_000;
/** What was to be told when the agent is asked to leave gets this long. */
const CALLBACKS_END_MS: Ms = 10_000;

type LoadedFile = Extract<LoadedNode, { readonly kind: "settings" }>;
type Leaving = "stop" | "detach";

/** Runs until a signal or a request ends it; answers the exit code. Throws what keeps it from starting. */
export async function runAgent(file: string, loaded: LoadedFile): Promise<number> {
  const { settings } = loaded;
  const composed = await compose(settings, file);
  const { clock, log, peers } = composed.ports;
  process.on("uncaughtExceptionMonitor", (error) => log.error("the agent is broken", { error }));
  await composed.checkGround();
  const callbacks = callbacksOf(composed, settings, () => node.settings());
  const tell = tellsOf(callbacks);
  const door = composeDoor(settings, composed.ports);
  const story = await openStory(settings, composed, () => node);
  const leaveTraces = patroniTraces(loaded, log);
  const onLook = (world: HaWorld): void => {
    tell(world);
    door?.onLook(world);
    composed.vault?.onLook(world);
    schedule.onLook(world);
    story.looked();
    leaveTraces(node.last());
  };
  const node: Node = await createNode(composed.ports, { settings, agentVersion: VERSION, onLook });
  const { leave, leaving } = exitDoor();
  const { jobs, schedule, ...work } = composeWork(file, settings, { ...composed, story });
  const { reopenLog } = composed;
  const reload = createReload({ file, settings, node, log, reopenLog, onReload: work.onReload });
  const view = createView({
    node,
    settings,
    vault: composed.vault,
    clock,
    peers,
    serverLog: composed.serverLog,
    lag: composed.lag,
    schedule,
    reload,
    detach: () => leave("detach"),
    incidents: () => story.incidents.summary(),
  });
  const gameDays = gameDaysOf(settings, composed, { story, view });
  const api = createApi({
    node: view,
    settings,
    clock,
    log,
    agentVersion: VERSION,
    router: composed.router,
    chronicle: story.chronicle,
    incidents: story.incidents,
    gameDays,
    doctor: createDoctor(wholeName(file), () => view.view()),
    blocking: createBlocking(settings.postgres),
    jobs,
    schedule,
    availability: story.availability,
  });
  // The own address first: a second agent on this host stops here, before it has touched anything.
  await api.listen();
  await refuseStranger(composed, node, settings);
  log.info("the agent starts", { version: VERSION, scope: settings.scope });
  onSignals(leave, () => void reload());
  await story.listen();
  await node.start();
  composed.start();
  await sweepAfterDrills(jobs, settings);
  await sweepAfterBackups(jobs, settings);
  schedule.start();
  const how = await leaving;
  await leaveAs(how, { composed, story, gameDays, work, door, node, callbacks, api });
  return 0;
}

interface Parts {
  readonly composed: Composed;
  readonly story: Story;
  readonly gameDays: GameDays;
  readonly work: Pick<Work, "close">;
  readonly door: ReturnType<typeof composeDoor>;
  readonly node: Node;
  readonly callbacks: Callbacks;
  readonly api: Api;
}

/** In an order in which nothing is asked of what has ended already. */
async function leaveAs(how: Leaving, parts: Parts): Promise<void> {
  const { composed, story, gameDays, work, door, node, callbacks, api } = parts;
  composed.ports.log.info("the agent leaves", { how });
  composed.lag.stop();
  story.chronicle.leaving(how);
  gameDays.stopProbe();
  await work.close();
  await composed.router?.stop(how === "stop" ? "end" : "stay");
  // Clients are led elsewhere before the server goes; who only detaches leads on.
  if (how === "stop") await door?.close();
  await (how === "stop" ? node.stop() : node.detach());
  await callbacks.drain(CALLBACKS_END_MS);
  await api.close();
  await story.close();
  if (how === "stop") await quitFence(composed);
  composed.close();
}

function gameDaysOf(
  settings: NodeSettings,
  { ports: { clock, log } }: Composed,
  { story, view }: { readonly story: Story; readonly view: NodeView },
): GameDays {
  return new GameDays({ settings, chronicle: story.chronicle, clock, log, view: view.view });
}

/** What Patroni's readers look for beside the API: a file beside the data, and texts in the log. */
function patroniTraces(
  { settings: { postgres, log: wish }, warnings }: LoadedFile,
  log: Log,
): (last: LastLook | undefined) => void {
  const user = actAs(postgres.osUser);
  const file = new DynamicFile({ dataDir: postgres.dataDir, user, log });
  const texts = wish.isPatronis ? new PatroniTexts(log) : undefined;
  // A terminal has them already; who reads Patroni's log looks for them there.
  if (texts !== undefined) for (const finding of warnings) log.warn(printFinding(finding));
  return (last) => {
    if (last === undefined) return;
    file.looked(last.world);
    texts?.looked(last);
  };
}

/** Whoever asks first says how the agent leaves. */
function exitDoor() {
  let leave: (how: Leaving) => void = () => undefined;
  const leaving = new Promise<Leaving>((resolve) => {
    leave = resolve;
  });
  return { leave, leaving };
}

function callbacksOf(
  { ports: { clock, log } }: Composed,
  { postgres }: NodeSettings,
  settings: () => NodeSettings,
): Callbacks {
  return createCallbacks({ settings, user: actAs(postgres.osUser), clock, log });
}

/** Hears of every look and tells what has changed since the last one. */
function tellsOf(callbacks: Callbacks): (world: HaWorld) => void {
  let told = NOTHING_TOLD;
  return (world) => {
    const next = eventsUpTo(told, world);
    told = next.told;
    for (const event of next.events) callbacks.tell(event);
  };
}

function onSignals(leave: (how: Leaving) => void, reload: () => void): void {
  process.on("SIGTERM", () => leave("stop"));
  process.on("SIGINT", () => leave("stop"));
  process.on("SIGHUP", reload);
}

async function quitFence({ ports, fence }: Composed): Promise<void> {
  using limit = ports.clock.deadline(FENCE_QUIT_MS);
  await fence
    .quit(limit.signal)
    .catch((error: unknown) => ports.log.warn("the fence stays", { error }));
}
