// Does the simulated store keep the promises that etcd keeps? The simulator lies where it does not.

import type { Store } from "../../src/ports/store.ts";
import { HostClock, processClock } from "../../src/sim/clock.ts";
import { dice } from "../../src/sim/dice.ts";
import { Kernel } from "../../src/sim/kernel.ts";
import { Network } from "../../src/sim/network.ts";
import { SimProcess } from "../../src/sim/process.ts";
import { SimStore } from "../../src/sim/store.ts";
import { SimStoreClient } from "../../src/sim/store-client.ts";
import { noPathFaults } from "../../src/sim/store-path.ts";
import { dcsContract } from "./dcs-suite.ts";
import { type StoreUnderTest, storeContract } from "./store-suite.ts";

const STEP_MS = 5;

/** Virtual time passes while somebody waits. */
function simStore(members: number): StoreUnderTest {
  const kernel = new Kernel();
  const d = dice(members);
  const network = new Network(kernel, d.fork("network"), {
    latencyMs: 0.3,
    jitterMs: 0.3,
    loss: 0,
  });
  const hosts = Array.from({ length: members }, (_, i) => `etcd${i + 1}`);
  const cluster = new SimStore(
    { kernel, dice: d.fork("store"), network },
    { members: hosts, electionMs: 500, revokesEarly: false },
  );
  const process = new SimProcess(kernel, "client");
  const parts = {
    store: cluster,
    process,
    host: "client",
    dice: d,
    faults: noPathFaults(),
    writesAsStranger: false,
    onLostAnswer: () => {},
    onApplied: () => {},
  };
  const real = new SimStoreClient(parts);
  const clock = processClock(kernel, new HostClock(kernel, 1, 1_000), process);
  const drive = async <T>(work: Promise<T>): Promise<T> => {
    let isOver = false;
    const end = () => {
      isOver = true;
    };
    work.then(end, end);
    while (!isOver) await kernel.runUntil(kernel.now + STEP_MS);
    return work;
  };
  const store: Store = {
    range: (prefix, options) => drive(real.range(prefix, options)),
    commit: (compares, writes, options) => drive(real.commit(compares, writes, options)),
    grant: (leaseId, ttlMs, options) => drive(real.grant(leaseId, ttlMs, options)),
    keepAlive: (leaseId, options) => drive(real.keepAlive(leaseId, options)),
    watch: (prefix, onEvents, onGap, signal) => real.watch(prefix, onEvents, onGap, signal),
  };
  const all = (change: (index: number) => void) => {
    for (const index of cluster.members.keys()) change(index);
    return Promise.resolve();
  };
  return {
    store,
    clock: { ...clock, sleep: (ms, signal) => drive(clock.sleep(ms, signal)) },
    control: {
      stop: () => all((i) => cluster.setUp(i, false)),
      start: () => all((i) => cluster.setUp(i, true)),
      pause: () => all((i) => cluster.setPaused(i, true)),
      resume: () => all((i) => cluster.setPaused(i, false)),
      advance: (ms) => kernel.runUntil(kernel.now + ms),
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

storeContract("the simulated store with one member", () => Promise.resolve(simStore(1)));
storeContract("the simulated store with three members", () => Promise.resolve(simStore(3)));
dcsContract("the simulated store", () => Promise.resolve(simStore(3)));
