// The program of the vault worker: started by the agent with the node's file, it leaves when the agent does.
//
// Reading, packing and sending WAL is work that the agent must not do: its loop keeps the lease alive.

import { findProgram } from "../adapters/postgres/programs.ts";
import { createClock } from "../adapters/system/clock.ts";
import { createLog } from "../adapters/system/log.ts";
import { aroundHere, readNodeText } from "../adapters/system/node-file.ts";
import { actAs } from "../adapters/system/os-user.ts";
import type { NodeSettings } from "../model/settings.ts";
import { parseNodeFile } from "../model/settings-file.ts";
import { vaultDir } from "../model/wal-gate.ts";
import { openShelves, packingOf } from "./shelves.ts";
import { Vault } from "./vault.ts";

async function main(file: string): Promise<void> {
  const parsed = parseNodeFile(readNodeText(file), file, aroundHere(file));
  if (parsed.kind !== "settings" || parsed.settings.backup === undefined)
    throw new Error(`${file} has no backup section`);
  const { settings } = parsed;
  const { backup } = parsed.settings;
  becomeUser(settings.postgres.osUser);
  const clock = createClock();
  const log = createLog({ level: settings.log.level, isTerminal: false });
  const vault = new Vault({
    dataDir: settings.postgres.dataDir,
    dir: vaultDir(settings.postgres.stateDir),
    budgetBytes: backup.walBudgetBytes,
    open: (systemId, signal) => openShelves({ ...settings, systemId, backup }, signal),
    receiving: {
      program: await receiverProgram(settings),
      user: settings.postgres.replication.username,
      passFile: `${settings.postgres.stateDir}/server/pgpass`,
      how: packingOf(backup),
    },
    clock,
    log,
  });
  await vault.start();
  process.stdin.resume();
  await new Promise<void>((resolve) => {
    process.stdin.once("end", resolve);
    process.once("SIGTERM", resolve);
    process.once("SIGINT", resolve);
  });
  await vault.close();
}

/** Found as the server's own programs are; where it is missing the receiver says so each time. */
const receiverProgram = ({ postgres }: NodeSettings): Promise<string> =>
  findProgram({ dataDir: postgres.dataDir, settings: { postgres } }, "pg_receivewal").catch(
    () => "pg_receivewal",
  );

/** What the server's user owns is read and written as that user; only the node's file may need more. */
function becomeUser(name: string | undefined): void {
  const user = actAs(name);
  if (user === undefined) return;
  process.setgroups?.([user.gid]);
  process.setgid?.(user.gid);
  process.setuid?.(user.uid);
}

await main(process.argv[2] ?? "");
process.exit();
