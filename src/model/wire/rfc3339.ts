// Which wall-clock millisecond does a written date mean, without asking any clock?

const PATTERN =
  /^(\d{4})-(\d{2})-(\d{2})[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?\s*(Z|[+-]\d{2}(?::?\d{2})?)$/i;
const DAY_MS = 86_400_000;

/** Days from 1970-01-01 to a date of the Gregorian calendar (years are counted from March). */
function daysFromCivil(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1;
  const dayOfEra =
    yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

function civilFromDays(days: number): readonly [year: number, month: number, day: number] {
  const z = days + 719_468;
  const era = Math.floor(z / 146_097);
  const dayOfEra = z - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear =
    dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shifted = Math.floor((5 * dayOfYear + 2) / 153);
  const month = shifted < 10 ? shifted + 3 : shifted - 9;
  const day = dayOfYear - Math.floor((153 * shifted + 2) / 5) + 1;
  return [yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day];
}

function offsetMs(zone: string): number | undefined {
  if (zone.toUpperCase() === "Z") return 0;
  const digits = zone.slice(1).replace(":", "").padEnd(4, "0");
  const hours = Number(digits.slice(0, 2));
  const minutes = Number(digits.slice(2, 4));
  if (hours > 23 || minutes > 59) return undefined;
  return (zone.startsWith("-") ? -1 : 1) * (hours * 60 + minutes) * 60_000;
}

/** Milliseconds since 1970 of a date with a zone; undefined when it is not one (a date without a zone is none). */
export function parseRfc3339(text: string): number | undefined {
  const match = PATTERN.exec(text.trim());
  if (match === null) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map((n) => Number(n ?? 0));
  const offset = offsetMs(match[8] ?? "");
  if (year === undefined || month === undefined || day === undefined) return undefined;
  if (hour === undefined || minute === undefined || second === undefined) return undefined;
  if (offset === undefined || hour > 23 || minute > 59 || second > 60) return undefined;
  const days = daysFromCivil(year, month, day);
  const [, realMonth, realDay] = civilFromDays(days);
  if (realMonth !== month || realDay !== day) return undefined;
  const fraction = Math.floor(Number(`0.${match[7] ?? "0"}`) * 1000);
  return days * DAY_MS + ((hour * 60 + minute) * 60 + second) * 1000 + fraction - offset;
}

const two = (n: number): string => String(n).padStart(2, "0");

/** The moment in UTC with milliseconds, e.g. `2026-11-05T13:07:09.250+00:00`. */
export function printRfc3339(wallMs: number): string {
  const ms = Math.floor(wallMs);
  const days = Math.floor(ms / DAY_MS);
  const [year, month, day] = civilFromDays(days);
  const inDay = ms - days * DAY_MS;
  const seconds = Math.floor(inDay / 1000);
  const date = `${String(year).padStart(4, "0")}-${two(month)}-${two(day)}`;
  const time = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return `${date}T${time.map(two).join(":")}.${String(inDay % 1000).padStart(3, "0")}+00:00`;
}
