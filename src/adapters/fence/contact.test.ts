// Does an answer that is read after the notice of a server's end bring anything of that server back?
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { createClock } from "../system/clock.ts";
import { createLog } from "../system/log.ts";
import { Contact } from "./contact.ts";
import {
  type FromFence,
  lineReader,
  type Numbered,
  printLine,
  type WireStatus,
  withSocketPath,
} from "./protocol.ts";

const clock = createClock();
const never = new AbortController().signal;

/** A server runs, and nothing guards it. */
const running = (): WireStatus => ({
  ...{ now: clock.now(), pid: 1, generation: 1, leaseId: null, armed: null },
  ...{ unguarded: 7, serverPid: 4242, lacking: [], watchdog: "off" },
});

it("does not, when both lie in one read of the socket", async () => {
  const stateDir = mkdtempSync(join(tmpdir(), "us-contact-"));
  const fence = createServer((socket) => {
    const take = (line: string): void => {
      const { id, do: what } = JSON.parse(line) as Numbered;
      const said: FromFence[] = [{ id, ok: true, status: running() }];
      const exit = { kind: "server-exit", pid: 4242, code: 0, signal: undefined } as const;
      if (what === "ping") said.push({ notice: exit });
      socket.write(said.map(printLine).join(""));
    };
    const read = lineReader(take);
    socket.on("data", (chunk: Buffer) => read(chunk));
  });
  const log = createLog({ level: "error", isTerminal: false, write: () => undefined });
  const contact = new Contact({ clock, log, stateDir });
  try {
    await withSocketPath(
      stateDir,
      (path) => new Promise<void>((resolve) => fence.listen(path, resolve)),
    );
    expect(await contact.greet(never)).toBe("friend");
    expect(contact.status).toMatchObject({ serverPid: 4242, unguarded: 7 });
    await contact.ask({ do: "ping" }, { limitMs: 5_000, signal: never });
    expect(contact.status).toMatchObject({ serverPid: undefined, unguarded: undefined });
  } finally {
    contact.close();
    fence.close();
    rmSync(stateDir, { recursive: true });
  }
});
