// How long may the planned stop of a primary take before the fence ends what is left? (R36)
import type { DynamicConfig } from "../../../model/config.ts";
import type { Ms } from "../../../model/time.ts";

const USUAL_MS: Ms = 10_000;

/** `primary_stop_timeout`, or ten seconds where it is 0. */
export const primaryStopMs = ({ primaryStopTimeoutMs }: DynamicConfig): Ms =>
  primaryStopTimeoutMs > 0 ? primaryStopTimeoutMs : USUAL_MS;
