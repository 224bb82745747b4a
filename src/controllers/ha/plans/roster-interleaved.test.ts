// What a leader takes for the list is never shorter than what the store may hold, however writes and answers cross (R28).
import fc from "fast-check";
import { expect, it } from "vitest";
import {
  cluster,
  given,
  leading,
  NOW,
  outcome,
  TERM,
  unread,
} from "../../../../test/support/world.ts";
import type { Roster } from "../../../model/cluster.ts";
import { after } from "../../../model/time.ts";
import { EMPTY_MEMORY, type HaMemory, type HaWorld } from "../world.ts";
import { digest } from "./memory.ts";
import { possibleRivals, rosterSent, rosterUpkeep } from "./roster.ts";

/** A write that has left; it lands only while the store stands at the revision that it compares. */
interface Sent {
  readonly roster: Roster;
  readonly base: number;
}
interface Model {
  store: { value: Roster | undefined; revision: number };
  flying: Sent[];
  memory: HaMemory;
  present: Set<string>;
  now: number;
}

const FATES = ["answered", "landed unheard", "flying", "vanished"] as const;
type Fate = (typeof FATES)[number];
type Move = readonly [
  what: "look" | "blind" | "restart" | "late" | "toggle",
  n: number,
  fate: Fate,
];

const moves = fc.array(
  fc.tuple(
    fc.constantFrom("look", "look", "look", "blind", "restart", "late", "toggle", "toggle"),
    fc.integer({ min: 0, max: 5 }),
    fc.constantFrom(...FATES),
  ) as fc.Arbitrary<Move>,
  { minLength: 5, maxLength: 40 },
);

const sees =
  (m: Model) =>
  (w: HaWorld): HaWorld =>
    given(
      { ...w, now: after(NOW, m.now), memory: m.memory },
      cluster((c) => ({
        members: ["n1", ...m.present].map((name) => ({
          ...c.members[0]!,
          name,
          apiUrl: `http://${name}`,
        })),
        roster: { value: m.store.value, modRevision: m.store.revision },
      })),
    );

function land(m: Model, { roster, base }: Sent): boolean {
  if (base !== m.store.revision) return false;
  m.store = { value: roster, revision: base + 1 };
  return true;
}

function play(m: Model, [what, n, fate]: Move): void {
  m.now += 4_000;
  if (what === "restart") m.memory = EMPTY_MEMORY;
  if (what === "toggle") {
    const name = `n${2 + (n % 4)}`;
    if (!m.present.delete(name)) m.present.add(name);
  }
  if (what === "late") {
    const sent = m.flying.splice(n % Math.max(1, m.flying.length), 1)[0];
    if (sent !== undefined) land(m, sent);
  }
  if (what === "blind") m.memory = digest(given(sees(m)(leading()), unread));
  if (what === "look") look(m, fate);
}

function look(m: Model, fate: Fate): void {
  const w = sees(m)(leading());
  m.memory = digest(w);
  const c = w.store.kind === "known" ? w.store.value : undefined;
  if (c === undefined) return;
  const upkeep = rosterUpkeep({ ...w, memory: m.memory }, c, TERM);
  m.memory = { ...m.memory, roster: rosterSent(m.memory.roster, upkeep) };
  for (const u of upkeep) {
    if (u.kind !== "write-roster") continue;
    const sent = { roster: u.roster, base: u.revision };
    if (fate === "flying") m.flying.push(sent);
    if (fate === "landed unheard") land(m, sent);
    if (fate !== "answered") continue;
    const result = land(m, sent) ? "written" : "refused";
    const told = given(
      sees(m)(leading()),
      unread,
      outcome("write-roster", { agoMs: -m.now, result }),
    );
    m.memory = digest(told);
  }
}

it("whatever is lost, late, repeated or forgotten", () => {
  let known = 0;
  fc.assert(
    fc.property(moves, (all) => {
      const m: Model = {
        store: { value: undefined, revision: 0 },
        flying: [],
        memory: EMPTY_MEMORY,
        present: new Set(["n2", "n3"]),
        now: 0,
      };
      for (const move of all) {
        play(m, move);
        const rivals = possibleRivals("n1", m.memory.roster);
        if (rivals === undefined) continue;
        known += 1;
        const possible = [
          m.store.value ?? {},
          ...m.flying.filter((s) => s.base === m.store.revision).map((s) => s.roster),
        ];
        for (const roster of possible)
          expect(Object.keys(rivals)).toEqual(
            expect.arrayContaining(Object.keys(roster).filter((name) => name !== "n1")),
          );
      }
    }),
    { numRuns: 300 },
  );
  expect(known).toBeGreaterThan(300);
});
