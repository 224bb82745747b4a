// Is every change told once, with what is needed to tell the story later?
import { describe, expect, it } from "vitest";
import {
  BRANCH_3,
  crashed,
  failed,
  following,
  given,
  justWon,
  leaderless,
  leading,
  outcome,
  unread,
} from "../../../test/support/world.ts";
import { decide } from "../../controllers/ha/decide.ts";
import type { HaWorld } from "../../controllers/ha/world.ts";
import type { EventBody } from "../../model/event.ts";
import { eventsBetween, NOTHING_TOLD } from "./told.ts";

/** The events over a row of looks, without those of the first one. */
function told(...looks: readonly HaWorld[]): readonly EventBody[] {
  let seen = NOTHING_TOLD;
  const perLook = looks.map((world) => {
    const step = eventsBetween(seen, world, decide(world));
    seen = step.told;
    return step.events.map(({ body }) => body);
  });
  return perLook.slice(1).flat();
}

describe("what is told", () => {
  it("is nothing while nothing changes", () => {
    expect(told(leading(), leading(), leading())).toEqual([]);
    expect(told(following(), following())).toEqual([]);
  });

  it("of a store that is away: since when, why, and when it is back", () => {
    const away = given(leading(), unread);
    expect(told(leading(), away, away, leading())).toMatchObject([
      { kind: "store", readable: false },
      { kind: "decision" },
      { kind: "store", readable: true },
      { kind: "decision", because: "leading" },
    ]);
  });

  it("of a leader that has gone: who it was, its last end of WAL, and how long it had been still", () => {
    const events = told(following(), leaderless());
    const gone = events.find(({ kind }) => kind === "leader");
    expect(gone).toMatchObject({ kind: "leader", before: "n1", end: "0/5000000", stillMs: 20_000 });
    expect(gone).not.toHaveProperty("name");
    expect(events).toContainEqual(
      expect.objectContaining({ kind: "peer", name: "n1", answers: false }),
    );
  });

  it("of a won lease: its term, and in which mode of replication", () => {
    expect(told(leaderless(), justWon())).toContainEqual({
      kind: "elected",
      term: 200,
      sync: "off",
    });
  });

  it("of a branch by the member that began it, not by those who follow", () => {
    const onBranch = (w: HaWorld): HaWorld => ({
      ...w,
      server: { ...w.server, lineage: [...w.server.lineage, BRANCH_3] },
    });
    const begun = { kind: "branch", timeline: 3, term: 200, fork: "0/5000000" };
    expect(told(justWon(), onBranch(justWon()))).toContainEqual(begun);
    expect(told(following(), onBranch(following()))).not.toContainEqual(begun);
  });

  it("of a dead server, and where its WAL ends", () => {
    const dead = given(leading(), crashed);
    expect(told(leading(), dead)).toContainEqual(
      expect.objectContaining({ kind: "server", look: "down" }),
    );
    const end = { result: { kind: "end", lsn: 0x5000028n } };
    const found = given(dead, outcome("find-crash-end", { ok: true, ...end }));
    expect(told(dead, found)).toContainEqual({ kind: "crash-end", position: "0/5000028" });
  });

  it("of a step that failed: its code and why", () => {
    const broken = given(
      leading(),
      outcome("promote", { ok: false, code: "PG_PROMOTE_FAILED", why: "too slow" }),
    );
    expect(told(leading(), broken)).toContainEqual({
      kind: "step",
      step: "promote",
      ok: false,
      code: "PG_PROMOTE_FAILED",
      why: "too slow",
    });
  });

  it("of a step that fails on: once a minute, and what else comes of it at once", () => {
    const tried = (agoMs: number, code?: string) =>
      given(
        leading(),
        code === undefined ? outcome("reserve", { agoMs }) : failed("reserve", code, agoMs),
      );
    const looks = [
      tried(90_000, "STORE_REFUSED"),
      tried(60_000, "STORE_REFUSED"),
      tried(30_000, "STORE_REFUSED"),
      tried(20_000, "STORE_REFUSED"),
      tried(10_000, "STORE_SILENT"),
      tried(5_000),
      tried(1_000, "STORE_SILENT"),
    ];
    const steps = told(leading(), ...looks).flatMap((event) =>
      event.kind === "step" ? (event.code ?? "done") : [],
    );
    expect(steps).toEqual([
      ...["STORE_REFUSED", "STORE_REFUSED", "STORE_SILENT", "done", "STORE_SILENT"],
    ]);
  });
});
