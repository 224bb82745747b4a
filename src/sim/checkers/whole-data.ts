// S13: data that are half rewound or half cloned are rebuilt, never started.
import type { MakeChecker } from "./checker.ts";

export const wholeData: MakeChecker = ({ violate }) => ({
  see(truth) {
    if (truth.kind === "server-start" && truth.isHalfRebuilt)
      violate("S13", `${truth.host} starts a directory whose rebuild was not finished`);
  },
});
