// May a program of ours listen there? Asked before it is started: its own words come late, or in its log alone.
import { createServer } from "node:net";
import type { Address } from "../../model/address.ts";
import { AppError } from "../../model/error.ts";
import { printAddress } from "../../model/settings-address.ts";

/** Throws PORT_IN_USE when somebody else listens there, NOT_POSSIBLE when the kernel does not let us. */
export async function checkFree(name: string, address: Address): Promise<void> {
  const attempt = `listening on ${printAddress(address)} (${name})`;
  const failure = await new Promise<NodeJS.ErrnoException | undefined>((resolve) => {
    const server = createServer();
    server.once("error", resolve);
    const host = address.host === "*" ? "0.0.0.0" : address.host;
    server.listen({ host, port: address.port, exclusive: true }, () =>
      server.close(() => resolve(undefined)),
    );
  });
  if (failure === undefined) return;
  if (failure.code === "EADDRINUSE") throw new AppError("PORT_IN_USE", attempt);
  if (failure.code === "EACCES") {
    const why = "low ports are for root; choose a higher one, or run the agent as root";
    throw new AppError("NOT_POSSIBLE", attempt, why, failure);
  }
  throw new AppError("NOT_POSSIBLE", attempt, failure.message, failure);
}
