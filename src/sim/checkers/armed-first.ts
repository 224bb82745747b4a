// S5: nobody is promoted or started as a primary without a live lease whose fence is armed.
import type { Armed } from "../truth.ts";
import type { MakeChecker } from "./checker.ts";

export const armedFirst: MakeChecker = ({ violate }) => {
  const judge = (host: string, verb: string, armed: Armed | undefined, hostNow: number): void => {
    if (armed === undefined) violate("S5", `${host} ${verb} while its fence is not armed`);
    else if (armed.until <= hostNow) violate("S5", `${host} ${verb} after its fence's deadline`);
  };
  return {
    see(truth) {
      if (truth.kind === "promotion-begun") {
        judge(truth.host, "is promoted", truth.armed, truth.hostNow);
        if (truth.armed !== undefined && truth.armed.term !== truth.term) {
          violate(
            "S5",
            `${truth.host} is promoted in term ${truth.term}, armed for ${truth.armed.term}`,
          );
        }
      }
      if (truth.kind === "start-as-primary" && !truth.byStranger) {
        judge(truth.host, "is started as a primary", truth.armed, truth.hostNow);
      }
    },
  };
};
