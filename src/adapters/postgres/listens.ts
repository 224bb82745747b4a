// Does anything answer where another member's server was? A question over the network, without a login.
import { createConnection } from "node:net";
import type { Ms } from "../../model/time.ts";

export interface ServerAddress {
  readonly host: string;
  readonly port: number;
}

/** True when a connection comes about; a refusal or silence until the limit is no answer. */
export const listens = ({ host, port }: ServerAddress, limitMs: Ms): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = createConnection({ host, port });
    const finish = (answers: boolean): void => {
      clearTimeout(limit);
      socket.destroy();
      resolve(answers);
    };
    const limit = setTimeout(() => finish(false), limitMs);
    socket.once("connect", () => finish(true));
    socket.once("error", () => finish(false));
  });
