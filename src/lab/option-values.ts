// What may stand behind an option of the lab's commands? Refused in a line when it is something else.
import { InvalidArgumentError } from "commander";

export const whole = (text: string): number => {
  if (/^\d+$/.test(text)) return Number(text);
  throw new InvalidArgumentError("It must be a whole number.");
};
export const positive = (text: string): number => {
  if (Number(text) > 0) return Number(text);
  throw new InvalidArgumentError("It must be a number above zero.");
};
export const share = (text: string): number => {
  if (Number(text) > 0 && Number(text) <= 1) return Number(text);
  throw new InvalidArgumentError("It must be above 0 and at most 1.");
};
/** Some of the known names, with commas between. */
export const someOf =
  <T extends string>(known: readonly T[]) =>
  (text: string): readonly T[] => {
    const named = text.split(",");
    const chosen = known.filter((name) => named.includes(name));
    if (chosen.length === named.length) return chosen;
    throw new InvalidArgumentError(`Choose from ${known.join(",")}.`);
  };
export const setting = (text: string, before: Record<string, string>): Record<string, string> => {
  const [, key, value] = /^([^=]+)=(.*)$/.exec(text) ?? [];
  if (key === undefined) throw new InvalidArgumentError("Write key=value.");
  return { ...before, [key]: value ?? "" };
};
