// Does an incident stay what a person has seen, while nodes come back and old events go?
import { describe, expect, it } from "vitest";
import {
  CLUSTER,
  crashHandOver,
  partsOf,
  switchover,
} from "../../test/support/incident-stories.ts";
import { assembleIncidents } from "./assemble.ts";
import type { Incident } from "./incident.ts";
import { mergeIncidents, summaryOf } from "./merged-incidents.ts";

const whole = assembleIncidents(partsOf(crashHandOver), { ...CLUSTER, missing: [] });
const partial = assembleIncidents(
  partsOf(crashHandOver).filter(({ node }) => node !== "n1"),
  { ...CLUSTER, missing: ["n1"] },
);
const only = (incidents: readonly Incident[]): Incident => {
  expect(incidents).toHaveLength(1);
  return incidents[0] as Incident;
};

describe("an incident that was told before", () => {
  it("gains what a node says that came back, and keeps its id", () => {
    const merged = only(mergeIncidents(partial, whole));
    expect(merged.missing).toEqual([]);
    expect(merged.id).toBe([only(partial).id, only(whole).id].toSorted()[0]);
    expect(merged.cause.code).toBe("postmaster_killed");
  });

  it("loses nothing when a node has gone since", () => {
    expect(only(mergeIncidents(whole, partial)).missing).toEqual([]);
    expect(only(mergeIncidents(whole, partial)).cause.code).toBe("postmaster_killed");
  });

  it("is not one that began after it was over, however soon", () => {
    const first = only(whole);
    const began = (first.endedAt ?? 0) + 1_000;
    const more = { startedAt: began, endedAt: began + 500, term: undefined };
    const next = { ...first, ...more, id: "I-20261123-000004" };
    expect(mergeIncidents(whole, [next])).toEqual([first, next]);
  });

  it("stays when its events are no longer kept", () => {
    expect(mergeIncidents(whole, [])).toEqual(whole);
  });

  it("keeps the first acknowledgement, whoever has it", () => {
    const word = { by: "ann", note: undefined, at: 5 };
    const seen = whole.map((incident) => ({ ...incident, acknowledged: word }));
    expect(only(mergeIncidents(seen, whole)).acknowledged).toEqual(word);
    const later = whole.map((i) => ({ ...i, acknowledged: { ...word, by: "bob", at: 9 } }));
    expect(only(mergeIncidents(later, seen)).acknowledged).toEqual(word);
  });

  it("comes out the same whatever the order of the members that are asked", () => {
    const one = only(mergeIncidents(mergeIncidents(partial, whole), partial));
    const other = only(mergeIncidents(mergeIncidents(whole, partial), whole));
    expect(one).toEqual(other);
  });
});

describe("the summary", () => {
  it("counts what nobody has looked at; a planned operation needs no look", () => {
    const planned = assembleIncidents(partsOf(switchover), { ...CLUSTER, missing: [] });
    expect(summaryOf(planned)).toEqual({
      ...{ ongoing: 0, unacknowledged: 0, open: [] },
      latest: undefined,
    });
    const { id, title } = only(whole);
    expect(summaryOf(whole)).toEqual({
      ...{ ongoing: 0, unacknowledged: 1, latest: { id, title } },
      open: [{ kind: "failover", cause: "postmaster_killed" }],
    });
    const seen = whole.map((i) => ({ ...i, acknowledged: { by: "a", note: undefined, at: 1 } }));
    expect(summaryOf(seen)).toMatchObject({ unacknowledged: 0, open: [] });
    const going = seen.map((i) => ({ ...i, endedAt: undefined }));
    expect(summaryOf(going)).toMatchObject({ ongoing: 1, unacknowledged: 0 });
    expect(summaryOf(going).open).toEqual([{ kind: "failover", cause: "postmaster_killed" }]);
  });
});
