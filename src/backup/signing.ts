// Whose word is a proof? Ed25519, by Node's own crypto; `openssl pkeyutl` can verify it without us.
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from "node:crypto";
import { open, readFile, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { isAbsent } from "../adapters/postgres/files.ts";
import { syncDirectory } from "../adapters/system/durable-file.ts";
import { AppError, asAppError } from "../model/error.ts";
import type { NodeSettings } from "../model/settings.ts";

export interface Signer {
  /** Half of the SHA-256 of the public key, in hex. */
  readonly name: string;
  readonly publicPem: string;
  sign(text: string): Uint8Array;
}

export const keyFileOf = ({ postgres, backup }: NodeSettings): string =>
  backup?.drill.keyFile ?? join(postgres.stateDir, "server", "drill.key");

/** This member's key, made at its first use. Throws NOT_POSSIBLE when the file holds none, or others may read it. */
export async function openSigner(settings: NodeSettings): Promise<Signer> {
  const file = keyFileOf(settings);
  const found = await readSigner(settings);
  if (found !== undefined) return found;
  const { privateKey } = generateKeyPairSync("ed25519");
  await writeNew(file, privateKey.export({ type: "pkcs8", format: "pem" }).toString());
  return signerOf(privateKey);
}

/** Undefined when none was made yet. */
export async function readSigner(settings: NodeSettings): Promise<Signer | undefined> {
  const file = keyFileOf(settings);
  const refuse = (why: string, cause?: unknown): never => {
    throw new AppError("NOT_POSSIBLE", `reading the key of drills in ${file}`, why, cause);
  };
  const seen = await stat(file).catch(isAbsent);
  if (seen === undefined) return undefined;
  if ((seen.mode & 0o077) !== 0) return refuse("others may read it: chmod 600");
  const pem = await readFile(file, "utf8").catch((error: unknown) => refuse(String(error), error));
  const key = privateKeyIn(pem);
  return key === undefined ? refuse("it is no private key of Ed25519") : signerOf(key);
}

/** For who only reads proofs: no key and one that cannot be read are the same to him. */
export const ownSignerOf = (settings: NodeSettings) => (): Promise<Signer | undefined> =>
  readSigner(settings).catch(() => undefined);

function privateKeyIn(pem: string): KeyObject | undefined {
  try {
    const key = createPrivateKey(pem);
    return key.asymmetricKeyType === "ed25519" ? key : undefined;
  } catch {
    return undefined;
  }
}

function signerOf(privateKey: KeyObject): Signer {
  const publicKey = createPublicKey(privateKey);
  return {
    name: nameOf(publicKey),
    publicPem: publicKey.export({ type: "spki", format: "pem" }).toString(),
    sign: (text) => sign(undefined, Buffer.from(text), privateKey),
  };
}

const NAME_DIGITS = 32;

const nameOf = (key: KeyObject): string =>
  createHash("sha256")
    .update(key.export({ type: "spki", format: "der" }))
    .digest("hex")
    .slice(0, NAME_DIGITS);

/** Is the signature that of the key `name` over this text? `pem` is what the repository keeps under that name. */
export function isSigned(
  text: string,
  by: { readonly name: string; readonly pem: string; readonly signature: Uint8Array },
): boolean {
  try {
    const key = createPublicKey(by.pem);
    if (key.asymmetricKeyType !== "ed25519" || nameOf(key) !== by.name) return false;
    return verify(undefined, Buffer.from(text), key, by.signature);
  } catch {
    // What is no key has signed nothing.
    return false;
  }
}

/** Never over another one: whoever lost a key must be able to tell. */
async function writeNew(file: string, text: string): Promise<void> {
  try {
    await using handle = await open(file, "wx", 0o600);
    await handle.writeFile(text);
    await handle.sync();
  } catch (error) {
    throw asAppError(error, "NOT_POSSIBLE", `making the key of drills in ${file}`);
  }
  await syncDirectory(dirname(file));
}
