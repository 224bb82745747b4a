// How does a process of the lab start so that it lives on when this command ends?
import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { AppError } from "../model/error.ts";
import { type Account, requireProgram } from "./programs.ts";

export interface DaemonOrder {
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly log: string;
  /** Runs as this user; as ourselves when undefined. */
  readonly account?: Account | undefined;
  readonly namespace?: string | undefined;
}

/** Starts a process in a session of its own, its output appended to a log. Answers its pid. */
export async function startDaemon(order: DaemonOrder): Promise<number> {
  const { program, args } = inside(order);
  const log = openSync(order.log, "a");
  try {
    const child = spawn(program, args, {
      cwd: order.cwd,
      detached: true,
      stdio: ["ignore", log, log],
      ...(order.namespace === undefined ? owner(order.account) : {}),
    });
    await new Promise<void>((resolve, reject) => {
      child.once("spawn", resolve);
      child.once("error", reject);
    });
    child.unref();
    return child.pid ?? 0;
  } catch (error) {
    throw new AppError("LAB_FAILED", `start ${order.program}`, "it could not be run", error);
  } finally {
    closeSync(log);
  }
}

/** nsenter enters the namespace as root, then becomes the account and the program: the pid stays. */
function inside(order: DaemonOrder): { program: string; args: string[] } {
  if (order.namespace === undefined) return { program: order.program, args: [...order.args] };
  const become =
    order.account === undefined ? [] : ["-S", `${order.account.uid}`, "-G", `${order.account.gid}`];
  return {
    program: requireProgram("nsenter"),
    args: [`--net=/run/netns/${order.namespace}`, ...become, order.program, ...order.args],
  };
}

const owner = (account: Account | undefined): { uid?: number; gid?: number } =>
  account === undefined ? {} : { uid: account.uid, gid: account.gid };
