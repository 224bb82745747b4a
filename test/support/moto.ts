// An object store that somebody else wrote, where this machine has one (python3-moto; Debian 12 lacks it).
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { createS3Repo } from "../../src/adapters/repo/s3.ts";
import type { S3Place } from "../../src/model/repository.ts";
import { Secret } from "../../src/model/secret.ts";
import { freePort } from "./free-port.ts";
import { until } from "./until.ts";

export const hasMoto = (): boolean => spawnSync("moto_server", ["--help"]).status === 0;
const key = (text: string) => ({ kind: "text", text: new Secret(text) }) as const;

export async function startMoto() {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), "us-moto-"));
  const child = spawn("moto_server", ["-H", "127.0.0.1", "-p", String(port)], {
    cwd: folder,
    stdio: "ignore",
  });
  const settings: S3Place = {
    kind: "s3",
    bucket: "backups",
    region: "us-east-1",
    endpoint: `http://127.0.0.1:${port}`,
    prefix: "",
    pathStyle: true,
    cafile: undefined,
    keys: { accessKey: key("tests"), secretKey: key("tests") },
  };
  const client = new S3Client({
    region: settings.region,
    endpoint: settings.endpoint ?? "",
    forcePathStyle: true,
    maxAttempts: 1,
    credentials: { accessKeyId: "tests", secretAccessKey: "tests" },
  });
  await until("the store makes a bucket", async () => {
    const made = client.send(new CreateBucketCommand({ Bucket: settings.bucket }));
    return made.then(
      () => true,
      () => false,
    );
  });
  client.destroy();
  return {
    open: (place: string) => createS3Repo({ name: "far", settings, place }),
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
