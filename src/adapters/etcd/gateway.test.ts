import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { AppError } from "../../model/error.ts";
import { Secret } from "../../model/secret.ts";
import { after, type Instant, instant } from "../../model/time.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import type { StoreEvent } from "../../ports/store.ts";
import { createEtcdStore, type EtcdStore } from "./store.ts";

const nothing = (): void => {};
const log: Log = { error: nothing, warn: nothing, info: nothing, debug: nothing };

/** The real clock, and a way to let it jump. */
function testClock(): Clock & { jump(ms: number): void } {
  let jumped = 0;
  const now = (): Instant => instant(performance.now() + jumped);
  const wakeAt: Clock["wakeAt"] = (at, run) => {
    const timer = setTimeout(run, Math.max(0, at - now()));
    return { cancel: () => clearTimeout(timer) };
  };
  return {
    now,
    wallMs: () => Date.now(),
    wakeAt,
    sleep: (ms) => new Promise((resolve) => wakeAt(after(now(), ms), resolve)),
    deadline: () => {
      throw new Error("not used here");
    },
    jump: (ms) => {
      jumped += ms;
    },
  };
}

interface Asked {
  readonly path: string;
  readonly body: Record<string, unknown>;
  readonly token: string | undefined;
  readonly response: ServerResponse;
}
type Play = (asked: Asked) => void;

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

/** A member of the store whose answers the test writes. */
async function member(play: Play): Promise<{ url: string; asked: Asked[] }> {
  const asked: Asked[] = [];
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const one = {
        path: request.url ?? "",
        body: JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>,
        token: request.headers.authorization,
        response,
      };
      asked.push(one);
      play(one);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  ends.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

/** An address at which nobody listens. */
async function nobody(): Promise<string> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  await once(server.close(), "close");
  return `http://127.0.0.1:${port}`;
}

const header = (term: number, clusterId = "9") => ({
  header: { cluster_id: clusterId, revision: "5", raft_term: String(term) },
});
const json =
  (value: unknown, status = 200): Play =>
  ({ response }) => {
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify(value));
  };
const silent: Play = nothing;
const fault = (code: number, status: number): Play =>
  json({ error: "no", code, message: "no" }, status);

function storeAt(
  endpoints: readonly string[],
  more: Partial<Parameters<typeof createEtcdStore>[0]> = {},
): EtcdStore {
  const store = createEtcdStore({ endpoints, clock: testClock(), log, ...more });
  ends.push(() => store.close());
  return store;
}

async function codeOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return "";
  } catch (error) {
    return error instanceof AppError ? error.code : String(error);
  }
}

const LIMIT = { timeoutMs: 600 };
const PUT = [{ kind: "put", key: "k", value: "v" }] as const;

describe("a transaction", () => {
  it("goes on to the next member when nobody listens at the first", async () => {
    const good = await member(json({ ...header(2), succeeded: true }));
    const store = storeAt([await nobody(), good.url]);
    expect((await store.commit([], PUT, LIMIT)).succeeded).toBe(true);
  });

  it("is sent to one member only, once it was sent", async () => {
    const frozen = await member(silent);
    const good = await member(json({ ...header(2), succeeded: true }));
    const store = storeAt([frozen.url, good.url]);
    expect(await codeOf(store.commit([], PUT, LIMIT))).toBe("STORE_UNKNOWN");
    expect(good.asked).toHaveLength(0);
    // The next one doesn't ask the frozen member first.
    expect((await store.commit([], PUT, LIMIT)).succeeded).toBe(true);
    expect(frozen.asked).toHaveLength(1);
  });

  it("has an unknown outcome when the connection breaks or the member fails", async () => {
    const broken = await member(({ response }) => void response.socket?.destroy());
    expect(await codeOf(storeAt([broken.url]).commit([], PUT, LIMIT))).toBe("STORE_UNKNOWN");
    const failing = await member(fault(14, 503));
    expect(await codeOf(storeAt([failing.url]).commit([], PUT, LIMIT))).toBe("STORE_UNKNOWN");
    const strange = await member(({ response }) => void response.end("<html>"));
    expect(await codeOf(storeAt([strange.url]).commit([], PUT, LIMIT))).toBe("STORE_UNKNOWN");
  });

  it("was certainly not done when the store says no", async () => {
    const full = await member(fault(8, 429));
    expect(await codeOf(storeAt([full.url]).commit([], PUT, LIMIT))).toBe("STORE_NO_SPACE");
    const denied = await member(fault(7, 403));
    expect(await codeOf(storeAt([denied.url]).commit([], PUT, LIMIT))).toBe("STORE_REFUSED");
    expect(await codeOf(storeAt([await nobody()]).commit([], PUT, LIMIT))).toBe(
      "STORE_UNREACHABLE",
    );
  });

  it("failed when the answer doesn't say that it succeeded", async () => {
    const good = await member(json(header(2)));
    expect((await storeAt([good.url]).commit([], PUT, LIMIT)).succeeded).toBe(false);
  });
});

describe("a call that may be repeated", () => {
  it("gives a frozen member only its share of the time", async () => {
    const frozen = await member(silent);
    const good = await member(json(header(2)));
    const store = storeAt([frozen.url, good.url]);
    expect((await store.range("k", LIMIT)).header.revision).toBe(5);
    await store.range("k", LIMIT);
    expect(frozen.asked).toHaveLength(1);
  });

  it("says gone when a keep-alive is answered without a ttl", async () => {
    const answer = { result: { ...header(2), ID: "7" } };
    expect(await storeAt([(await member(json(answer))).url]).keepAlive("7", LIMIT)).toBe("gone");
  });

  it("does not believe a member that lives in an older raft term, but not for ever", async () => {
    const alive = (term: number) => json({ result: { ...header(term), ID: "7", TTL: "10" } });
    const now = await member(alive(5));
    const past = await member(alive(4));
    const clock = testClock();
    const store = storeAt([now.url, past.url], { clock });
    await store.keepAlive("7", LIMIT);
    const other = createEtcdStore({ endpoints: [past.url], clock, log });
    ends.push(() => other.close());
    expect(await other.keepAlive("7", LIMIT)).toEqual({ ttlMs: 10_000 });

    let term = 5;
    const changing = await member((asked) => alive(term)(asked));
    const both = storeAt([changing.url, now.url], { clock });
    await both.keepAlive("7", LIMIT);
    term = 4;
    expect(await both.keepAlive("7", LIMIT)).toEqual({ ttlMs: 10_000 });
    expect(now.asked.length).toBeGreaterThan(1);

    const alone = storeAt([changing.url], { clock });
    term = 5;
    await alone.keepAlive("7", LIMIT);
    term = 4;
    expect(await codeOf(alone.keepAlive("7", LIMIT))).toBe("STORE_UNKNOWN");
    clock.jump(10_001);
    expect(await alone.keepAlive("7", LIMIT)).toEqual({ ttlMs: 10_000 });
  });
});

describe("a token", () => {
  const credentials = { username: "u", password: new Secret("p") };
  function guarded(): Play {
    let issued = 0;
    return (asked) => {
      if (asked.path === "/v3/auth/authenticate") {
        issued += 1;
        return json({ ...header(2), token: `t${issued}` })(asked);
      }
      return asked.token === `t${issued}` && issued !== 1
        ? json({ ...header(2), succeeded: true })(asked)
        : fault(16, 401)(asked);
    };
  }

  it("is asked for once by many calls, and renewed when it is not accepted", async () => {
    const server = await member(guarded());
    const store = storeAt([server.url], { credentials });
    const calls = [store.commit([], PUT, LIMIT), store.range("k", LIMIT), store.range("k", LIMIT)];
    await Promise.all(calls);
    expect(server.asked.filter((a) => a.path === "/v3/auth/authenticate")).toHaveLength(2);
    expect(server.asked[0]?.body).toEqual({ name: "u", password: "p" });
  });

  it("is done without where the store asks nobody who they are", async () => {
    const open = await member((asked) =>
      asked.path === "/v3/auth/authenticate" ? fault(9, 400)(asked) : json(header(2))(asked),
    );
    await storeAt([open.url], { credentials }).range("k", LIMIT);
    expect(open.asked.at(-1)?.token).toBeUndefined();
  });

  it("costs a call no more than its own time", async () => {
    const frozen = await member(silent);
    const start = performance.now();
    const call = storeAt([frozen.url], { credentials }).range("k", { timeoutMs: 200 });
    expect(await codeOf(call)).toBe("STORE_UNREACHABLE");
    expect(performance.now() - start).toBeLessThan(500);
  });

  it("that a wrong password does not give is a refusal", async () => {
    const strict = await member(fault(3, 400));
    expect(await codeOf(storeAt([strict.url], { credentials }).range("k", LIMIT))).toBe(
      "STORE_REFUSED",
    );
  });
});

describe("a watch", () => {
  const b64 = (text: string) => Buffer.from(text).toString("base64");
  const event = (revision: number, value: string) => ({
    result: {
      ...header(2),
      events: [{ kv: { key: b64("/k"), value: b64(value), mod_revision: String(revision) } }],
    },
  });
  const created = { result: { ...header(2), created: true } };

  function watching(store: EtcdStore) {
    const stop = new AbortController();
    ends.push(() => stop.abort());
    const seen: { events: StoreEvent[]; gaps: number } = { events: [], gaps: 0 };
    store.watch(
      "/",
      (events) => seen.events.push(...events),
      () => {
        seen.gaps += 1;
      },
      stop.signal,
    );
    return seen;
  }
  async function until(done: () => boolean): Promise<void> {
    const giveUpAt = performance.now() + 5000;
    while (!done()) {
      if (performance.now() > giveUpAt) throw new Error("waited too long");
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
  const list: Play = json(header(2));

  it("puts frames together however the network cut them, and resumes after the last one", async () => {
    let watches = 0;
    const server = await member((asked) => {
      if (asked.path !== "/v3/watch") return list(asked);
      watches += 1;
      if (watches > 1) return void asked.response.write(`${JSON.stringify(created)}\n`);
      const text = [created, event(6, "ä"), event(7, "b")].map((f) => JSON.stringify(f)).join("\n");
      const bytes = Buffer.from(`${text}\n`);
      asked.response.write(bytes.subarray(0, 200));
      setTimeout(() => asked.response.end(bytes.subarray(200)), 30);
    });
    const seen = watching(storeAt([server.url]));
    await until(() => watches === 2);
    expect(seen.events.map((e) => [e.key, e.value, e.modRevision])).toEqual([
      ["/k", "ä", 6],
      ["/k", "b", 7],
    ]);
    expect(seen.gaps).toBe(1);
    const asked = server.asked.filter((a) => a.path === "/v3/watch");
    const starts = asked.map(
      (a) => (a.body["create_request"] as Record<string, unknown>)["start_revision"],
    );
    expect(starts).toEqual(["6", "8"]);
  });

  it("tells of a gap and looks afresh when the store has forgotten what was missed", async () => {
    let watches = 0;
    const server = await member((asked) => {
      if (asked.path !== "/v3/watch") return list(asked);
      watches += 1;
      const forgotten = { result: { ...header(2), canceled: true, compact_revision: "9" } };
      asked.response.write(`${JSON.stringify(watches === 1 ? forgotten : created)}\n`);
    });
    const seen = watching(storeAt([server.url]));
    await until(() => seen.gaps === 2 && watches === 2);
    expect(server.asked.filter((a) => a.path === "/v3/kv/range")).toHaveLength(2);
  });

  it("goes to another member when one reports an error in its stream", async () => {
    const leaderless = await member((asked) =>
      asked.path === "/v3/watch"
        ? json({ error: { grpc_code: 14, message: "no leader" } })(asked)
        : list(asked),
    );
    const good = await member((asked) =>
      asked.path === "/v3/watch"
        ? void asked.response.write(
            `${JSON.stringify(created)}\n${JSON.stringify(event(6, "x"))}\n`,
          )
        : list(asked),
    );
    const seen = watching(storeAt([leaderless.url, good.url]));
    await until(() => seen.events.length === 1);
    expect(seen.events[0]?.value).toBe("x");
  });
});
