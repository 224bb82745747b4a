// The worker that removes what has expired is killed at each of its named steps, like by a power cut.
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createDirectoryRepo } from "../../src/adapters/repo/directory.ts";
import { clusterPlace } from "../../src/model/repo-keys.ts";
import type { RepositoryExpiry } from "../../src/model/wire/expiry.ts";
import { parseWorkerLine, type WorkerOrder } from "../../src/model/worker.ts";
import type { Repo } from "../../src/ports/repo.ts";
import { bundlePrograms } from "../support/bundle.ts";
import { fill, IDENTITY, idOf, keysIn, LEFT, requireConsistent } from "../support/expiry-stage.ts";

const root = mkdtempSync(join(tmpdir(), "us-expire-kill-"));

beforeAll(async () => {
  await bundlePrograms(root, { worker: "src/worker/main.ts" });
});
afterAll(() => rmSync(root, { recursive: true }));

function orderFor(directory: string): WorkerOrder {
  const { scope, namespace, systemId, storeId } = IDENTITY;
  const text = `
scope: ${scope}
namespace: ${namespace}
name: n1
restapi: {listen: "127.0.0.1:8008", connect_address: "127.0.0.1:8008"}
etcd3: {host: "127.0.0.1:2379"}
postgresql:
  listen: 127.0.0.1:5432
  connect_address: 127.0.0.1:5432
  data_dir: ${join(directory, "no-data")}
  authentication: {superuser: {username: postgres}, replication: {username: rep, password: x}}
backup:
  retention: {base: {count: 2}, logical: {count: 1}}
  repositories: {near: {directory: ${directory}}}
`;
  const input = { isPreview: false };
  return { task: "backup-expire", input, file: "n1.yml", text, cluster: { systemId, storeId } };
}

/** Kills it as soon as it says that it is at this step; answers what it said at its end, if it came to one. */
async function work(
  directory: string,
  killAt?: string,
): Promise<readonly RepositoryExpiry[] | undefined> {
  const child = spawn(process.execPath, [join(root, "worker.mjs")], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const closed = new Promise((resolve) => child.once("close", resolve));
  child.stdin.on("error", () => undefined);
  child.stdin.write(`${JSON.stringify(orderFor(directory))}\n`);
  let items: readonly RepositoryExpiry[] | undefined;
  for await (const text of createInterface({ input: child.stdout })) {
    const line = parseWorkerLine(text);
    if (line?.kind === "progress" && line.progress.step === killAt) child.kill("SIGKILL");
    if (line?.kind === "done")
      items = (line.result as { items: readonly RepositoryExpiry[] }).items;
  }
  await closed;
  return items;
}

it.each([
  "looking at near",
  `marking ${idOf(1)}`,
  "looking at near again",
  `removing ${idOf(5)}`,
  "removing WAL that no backup needs",
  "removing pieces of segments that are whole",
])("killed at '%s' it leaves what can be restored, and the next one ends it", async (step) => {
  const directory = join(root, step.replaceAll(/\W/g, "-"));
  mkdirSync(directory);
  const place = clusterPlace(IDENTITY.scope, IDENTITY.systemId);
  const repo: Repo = createDirectoryRepo({ name: "near", directory, place });
  await fill(repo);
  await work(directory, step);
  await requireConsistent(repo);
  expect(await work(directory)).toMatchObject([{ repository: "near", state: "done" }]);
  expect((await keysIn(repo)).filter((key) => !key.startsWith("expiries/"))).toEqual(LEFT);
});
