// Does etcd, through our gateway, keep a store's promises?
import { createEtcdStore } from "../../src/adapters/etcd/store.ts";
import { createClock } from "../../src/adapters/system/clock.ts";
import type { Log } from "../../src/ports/log.ts";
import { startEtcd } from "../support/etcd.ts";
import { dcsContract } from "./dcs-suite.ts";
import { type StoreUnderTest, storeContract } from "./store-suite.ts";

const nothing = (): void => {};
const quiet: Log = { error: nothing, warn: nothing, info: nothing, debug: nothing };

async function realStore(members: 1 | 3): Promise<StoreUnderTest> {
  const etcd = await startEtcd({ members });
  const clock = createClock();
  const store = createEtcdStore({ endpoints: etcd.endpoints, clock, log: quiet });
  const all = async (act: (member: (typeof etcd.members)[number]) => void | Promise<void>) => {
    await Promise.all(etcd.members.map(async (member) => act(member)));
  };
  return {
    store,
    clock,
    control: {
      stop: () => all((m) => m.stop()),
      start: () => all((m) => m.start()),
      pause: () => all((m) => m.pause()),
      resume: () => all((m) => m.resume()),
    },
    async [Symbol.asyncDispose]() {
      store.close();
      await etcd[Symbol.asyncDispose]();
    },
  };
}

storeContract("etcd with one member", () => realStore(1));
storeContract("etcd with three members", () => realStore(3));
dcsContract("etcd", () => realStore(1));
