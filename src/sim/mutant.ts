// What is a planted bug, and where does it show?
import type { Fault, VerbName } from "../scenario/verbs.ts";
import type { Flaws } from "./cluster.ts";

export interface Mutant {
  readonly name: string;
  readonly flaws: Flaws;
  /** Rules of which at least one must be found broken. */
  readonly breaks: readonly string[];
  readonly hunts?: readonly VerbName[];
  /** A story whose expectations it cannot meet. */
  readonly story?: string;
  /** A schedule made for it, where storms would have to be lucky. */
  readonly faults?: readonly Fault[];
  /** Settings under which it shows. */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly quick?: boolean;
  readonly nodes?: number;
  /** With one more host, whose agent bears the first one's name. */
  readonly twin?: boolean;
}
