// Which way in shall a node measure by real writes, how often, and against which objective?
import type { Address } from "./address.ts";
import type { AvailabilitySettings, ProbePath } from "./availability.ts";
import { DEFAULT_OBJECTIVE, type Objective } from "./budget.ts";
import { parseAddress } from "./settings-address.ts";
import type { Section } from "./settings-reader.ts";
import { parseDuration } from "./wire/duration.ts";

const USUAL_TABLE = "understudy_probe";
const EVERY_MS = { usual: 1_000, least: 100, most: 60_000 };
const SLOW_MS = 1_000;
const USUAL_PORT = 5432;
const MOST_PATHS = 8;

/** Undefined when the file has no `availability` section: then nothing is written into anybody's database. */
export function readAvailability(root: Section): AvailabilitySettings | undefined {
  if (!root.has("availability")) return undefined;
  const section = root.section("availability");
  const database = section.required("database", "where the table of the probe shall lie");
  const username = section.required("username", "who writes the probe");
  const password = section.secret("password");
  const table = section.text("table") ?? USUAL_TABLE;
  if (!/^[a-z_][a-z0-9_]{0,62}$/.test(table))
    section.problem("table", `must be a plain name in small letters, not "${table}"`);
  const everyMs = everyIn(section);
  const objective = objectiveIn(section);
  const paths = pathsIn(section);
  section.close();
  return {
    database,
    table,
    username,
    password,
    everyMs,
    slowMs: SLOW_MS,
    paths,
    objective,
  };
}

function everyIn(section: Section): number {
  const written = section.text("every");
  if (written === undefined) return EVERY_MS.usual;
  const ms = parseDuration(written);
  if (ms !== undefined && ms >= EVERY_MS.least && ms <= EVERY_MS.most) return ms;
  section.problem("every", `must be a time between 100ms and 60s, not "${written}"`);
  return EVERY_MS.usual;
}

/** `objective: 99.99` is what people write; a share of a year is what is meant. */
function objectiveIn(section: Section): Objective {
  const written = section.text("objective");
  const share = shareIn(section);
  if (written === undefined) return { ...DEFAULT_OBJECTIVE, plannedShare: share };
  const percent = Number(written.replace(/%$/, ""));
  if (percent > 0 && percent < 100) return { availability: percent / 100, plannedShare: share };
  section.problem("objective", `must be a percentage like 99.99, not "${written}"`);
  return DEFAULT_OBJECTIVE;
}

function shareIn(section: Section): number {
  const percent = section.number("planned_percent", { min: 0, max: 100 });
  return percent === undefined ? DEFAULT_OBJECTIVE.plannedShare : percent / 100;
}

/** `direct: [n1:5432, n2:5432]`, `pooled: 10.0.0.9:6432`. */
function pathsIn(section: Section): readonly ProbePath[] {
  const written = section.section("paths");
  const paths = written.names().map((name) => ({
    name,
    addresses: written.texts(name).flatMap((text): readonly Address[] => {
      const address = parseAddress(text, USUAL_PORT);
      if (address !== undefined) return [address];
      written.problem(name, `must be a list of addresses like 10.0.0.9:5432, not "${text}"`);
      return [];
    }),
  }));
  written.close();
  if (paths.length === 0)
    section.problem("paths", "is missing: name at least one, e.g. pooled: 10.0.0.9:6432");
  if (paths.length > MOST_PATHS) section.problem("paths", `must be at most ${MOST_PATHS}`);
  return paths;
}
