// What do the steps of the ha room act upon?
import type { HaPorts } from "./observe.ts";

export interface ActOptions extends HaPorts {
  readonly name: string;
  /** The first configuration of a new cluster, as stored text. */
  readonly firstConfigJson: string;
}
