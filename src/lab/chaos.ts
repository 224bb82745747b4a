// `lab chaos`: one fault under load, and a report of what it cost.
import { setTimeout as sleep } from "node:timers/promises";
import { AppError } from "../model/error.ts";
import type { Ms } from "../model/time.ts";
import { belongings, belongingsOf } from "./belongings.ts";
import { EXIT_WARNING, type Printing, printJson } from "./commands.ts";
import { FAULTS, type Fault } from "./faults.ts";
import { primaryOf, waitForAgreement, waitForHealthy, waitForPrimary } from "./health.ts";
import { measure } from "./measure.ts";
import { networkEffects } from "./network-faults.ts";
import type { FaultOptions } from "./order.ts";
import { type LabChoice, type LabRecord, requireLab, requireMember } from "./record.ts";
import { inSeconds, measurementText } from "./report.ts";
import { stopSignal } from "./stopping.ts";

const PRIMARY_LIMIT_MS = 30_000;
const RETURN_LIMIT_MS = 120_000;
const AGREEMENT_LIMIT_MS = 10_000;

export interface ChaosWish extends FaultOptions {
  readonly verb: string;
  readonly node: string | undefined;
  /** Taken back after this time; otherwise it lasts until somebody takes it back. */
  readonly forMs: Ms | undefined;
  /** Only make the fault, measure nothing. */
  readonly quiet: boolean;
  /** Ask every server directly as well, to see whether two take writes. */
  readonly probe: boolean;
}

/** Makes one fault and reports; exit 3 when promised rows are lost or two servers took writes. */
export async function chaos(choice: LabChoice, wish: ChaosWish, { json }: Printing) {
  const lab = requireLab(choice);
  const fault = FAULTS[wish.verb];
  if (fault === undefined) {
    const why = `choose from ${Object.keys(FAULTS).join(", ")}`;
    throw new AppError("LAB_NOT_FOUND", `find the fault ${wish.verb}`, why);
  }
  const nodes = await targetsOf(lab, fault, wish.node);
  const what = [wish.verb, ...nodes.filter((node) => node !== ""), ...details(wish)].join(" ");
  const undo = undoOf(fault, wish);
  const effects: string[] = [];
  const stop = stopSignal({
    say: (text) => console.error(text),
    now: wish.forMs === undefined ? WHEN_BACK : `the fault is taken back; ${WHEN_BACK}`,
    left: () => leftOf(lab, fault, nodes),
  });
  const make = async (): Promise<void> => {
    await Promise.all(nodes.map(async (node) => fault.make({ lab, node, options: wish })));
    if (wish.forMs === undefined) return;
    // Whoever has seen enough gets the fault taken back too.
    await sleep(wish.forMs, undefined, { signal: stop }).catch(() => undefined);
    effects.push(...(await effectsOn(lab, nodes)));
    await Promise.all(nodes.map(async (node) => undo?.make({ lab, node, options: wish })));
  };
  if (wish.quiet) {
    await make();
    if (json) printJson("LabChaos", { what, measurement: null, warnings: [] });
    else console.log(`${what}: done`);
    return 0;
  }
  if ((await primaryOf(lab)) === undefined) return withoutPrimary(lab, { what, make, json });
  if (!json) console.log(`${what} under load; ${fault.summary}`);
  const watchMs = fault.watchTtls * lab.ttlSeconds * 1000;
  const measurement = await measure(lab, { fault: make, watchMs, probe: wish.probe });
  if (wish.forMs === undefined) effects.push(...(await effectsOn(lab, nodes)));
  if (fault.on === "silent") effects.push(...(await returnOf(lab)));
  if (json) printJson("LabChaos", { what, measurement, effects, warnings: [] });
  else console.log([measurementText(what, measurement), ...effects].join("\n"));
  const { lost, probes } = measurement;
  return lost.length === 0 && (probes?.overlaps.length ?? 0) === 0 ? 0 : EXIT_WARNING;
}

const WHEN_BACK = "the report comes when writes flow again";

/** What a person has to take back who does not wait for the end. */
function leftOf({ name }: LabRecord, { undo }: Fault, nodes: readonly string[]): string {
  if (undo === undefined)
    return `the lab ${name} as it is; see: understudy lab status --name ${name}`;
  const commands = nodes.map((node) =>
    ["understudy lab chaos", undo, node, "--quiet --name", name].filter(Boolean).join(" "),
  );
  return `the fault; take it back with: ${commands.join("; ")}`;
}

/** What the report adds to the verb and the node. */
const details = ({ from, to, way, silent, forMs }: ChaosWish): readonly string[] => [
  ...(from.length === 0 ? [] : [`from ${from.join(", ")}`]),
  ...(to === undefined ? [] : [`from ${to}`]),
  ...(way === "both" ? [] : [`(only what ${way === "in" ? "arrives" : "leaves"})`]),
  ...(silent ? ["silently"] : []),
  ...(forMs === undefined ? [] : [`for ${inSeconds(forMs)}`]),
];

const effectsOn = async (lab: LabRecord, nodes: readonly string[]): Promise<readonly string[]> =>
  (await Promise.all(nodes.map((node) => networkEffects({ lab, node })))).flat();

/** Who starts a node wants to go on with it: waits until everybody whose agent runs streams, and agents know it. */
async function returnOf(lab: LabRecord): Promise<readonly string[]> {
  const awake = lab.members.filter(({ name }) =>
    belongingsOf(lab, name).some(({ role }) => role === "agent"),
  );
  try {
    await waitForHealthy(lab, RETURN_LIMIT_MS, awake.length - 1);
    // A lab with warnings of its own (a pause, another dead node) has returned all the same.
    await waitForAgreement(lab, AGREEMENT_LIMIT_MS).catch(() => undefined);
    return [];
  } catch (error) {
    return [error instanceof AppError ? error.message : String(error)];
  }
}

/** What takes the fault back, which must exist when it shall end by itself. */
function undoOf({ undo }: Fault, { verb, forMs }: ChaosWish): Fault | undefined {
  if (forMs === undefined || undo !== undefined) return FAULTS[undo ?? ""];
  throw new AppError("NOT_POSSIBLE", `take ${verb} back`, "it is over as soon as it is made");
}

interface Healing {
  readonly what: string;
  readonly make: () => Promise<void>;
  readonly json: boolean;
}

/** Nobody can write now, so there is no load: told is how long a primary takes to appear. */
async function withoutPrimary(lab: LabRecord, { what, make, json }: Healing): Promise<number> {
  if (!json) console.log(`${what}; there is no primary now, so nothing is written meanwhile`);
  await make();
  const since = performance.now();
  const primary = await waitForPrimary(lab, RETURN_LIMIT_MS);
  const tookMs = Math.round(performance.now() - since);
  const { name } = primary.member;
  if (json) printJson("LabChaos", { what, measurement: null, primary: name, tookMs, warnings: [] });
  else console.log(`${name} is a writable primary after ${inSeconds(tookMs)}`);
  return 0;
}

/** Whom a fault hits when nobody is named: the primary, or every etcd member. */
export async function targetsOf(
  lab: LabRecord,
  fault: Fault,
  node: string | undefined,
): Promise<readonly string[]> {
  if (fault.on === "etcd") return etcdTargets(lab, node);
  if (node !== undefined) {
    const isStore = lab.etcd.some(({ name }) => name === node);
    return [isStore && fault === FAULTS["cont"] ? node : requireMember(lab, node).name];
  }
  if (fault.on === "candidate") return [""];
  if (fault.on === "silent") return nodesWithoutAgent(lab);
  return [(await waitForPrimary(lab, PRIMARY_LIMIT_MS)).member.name];
}

function etcdTargets(lab: LabRecord, node: string | undefined): readonly string[] {
  const names = lab.etcd.map(({ name }) => name);
  if (node === undefined) return names;
  if (names.includes(node)) return [node];
  throw new AppError(
    "LAB_NOT_FOUND",
    `find the etcd member ${node}`,
    `they are ${names.join(", ")}`,
  );
}

function nodesWithoutAgent(lab: LabRecord): readonly string[] {
  const running = belongings(lab).filter(({ role }) => role === "agent");
  const names = lab.members.map(({ name }) => name);
  const silent = names.filter((name) => !running.some(({ node }) => node === name));
  if (silent.length > 0) return silent;
  throw new AppError("NOT_POSSIBLE", "start a node", "every node's agent runs already");
}
