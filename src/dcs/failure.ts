// Which failures of the store are an answer that a caller must be able to read as "unknown"?
import { AppError } from "../model/error.ts";

/** The sentence of a store's failure; anything else is a programmer's error and goes on its way. */
export function storeFailure(error: unknown): string {
  if (error instanceof AppError && error.code.startsWith("STORE_")) {
    return `${error.code}: ${error.message}`;
  }
  throw error;
}

export type Tried<T> =
  | { readonly kind: "answered"; readonly value: T }
  | { readonly kind: "failed"; readonly why: string };

/** Waits for a call to the store and turns its failure into a value. */
export async function tried<T>(call: Promise<T>): Promise<Tried<T>> {
  try {
    return { kind: "answered", value: await call };
  } catch (error) {
    return { kind: "failed", why: storeFailure(error) };
  }
}
