// Why must a member not lead?
import type { Reason } from "../../../model/reason.ts";

export interface Refusal {
  readonly because: Reason;
  readonly detail: string;
}
