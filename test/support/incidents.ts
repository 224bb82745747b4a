// What do the members themselves say about the trouble that a test has just made?
import { callHttp } from "../../src/adapters/http/client.ts";
import type { CauseCode, Incident } from "../../src/incident/incident.ts";
import type { LabRecord } from "../../src/lab/record.ts";
import { waitFor } from "../../src/lab/wait-until.ts";
import { baseUrl } from "../../src/model/wire/member.ts";

const LIMIT_MS = 60_000;
const ASK_MS = 10_000;

/** Waits until some member tells of an incident begun since then for one of these causes; answers it. */
export async function incidentFor(
  lab: LabRecord,
  since: number,
  causes: readonly CauseCode[],
): Promise<Incident> {
  let told: readonly Incident[] = [];
  let found: Incident | undefined;
  const isTold = async (): Promise<boolean> => {
    told = (await Promise.all(lab.members.map(({ apiUrl }) => incidentsAt(apiUrl)))).flat();
    found = told.find(({ startedAt, cause }) => startedAt >= since && causes.includes(cause.code));
    return found !== undefined;
  };
  await waitFor(`an incident because of ${causes.join(" or ")}`, isTold, {
    limitMs: LIMIT_MS,
  }).catch((error: unknown) => {
    const instead = told.map(({ id, kind, cause }) => `${id} ${kind} ${cause.code}`);
    throw new Error(`told instead: ${instead.join(", ") || "nothing"}`, { cause: error });
  });
  if (found === undefined) throw new Error("it was told and is gone");
  return found;
}

async function incidentsAt(apiUrl: string): Promise<readonly Incident[]> {
  try {
    const url = `${baseUrl(apiUrl)}/understudy/incidents`;
    const { status, body } = await callHttp({ method: "GET", url, timeoutMs: ASK_MS });
    return status === 200 ? (JSON.parse(body) as { items: readonly Incident[] }).items : [];
  } catch {
    return [];
  }
}
