// Where do game days stand? On every member; the primary of before decides whether one has begun or was aborted.
import { asGameDay, type GameDay, isOpen, mergedGameDays } from "../model/game-day/game-day.ts";
import { didYouMean } from "../model/nearest.ts";
import { CliFailure, EXIT } from "./exit.ts";
import { call, change, listIn, look, memberNamed } from "./rest.ts";
import type { Target } from "./target.ts";

/** Oldest first, from all members that answer. */
export async function gameDaysOf(target: Target): Promise<readonly GameDay[]> {
  const { members } = await look(target);
  const lists = await Promise.all(
    members.map(({ apiUrl }) => gameDaysAt(target, apiUrl).catch(() => undefined)),
  );
  const heard = lists.filter((list) => list !== undefined);
  if (heard.length > 0) return mergedGameDays(heard);
  throw new CliFailure(EXIT.unreachable, "no member tells its game days", "ask again");
}

export async function gameDaysAt(target: Target, apiUrl: string): Promise<readonly GameDay[]> {
  const answer = await call(target, { method: "GET", url: `${apiUrl}/understudy/game-days` });
  const told = listIn(answer);
  if (told !== undefined) return told.items.flatMap((item) => asGameDay(item) ?? []);
  throw new CliFailure(EXIT.unreachable, "game days could not be read", answer.body);
}

/** The newest when no id is given. */
export async function gameDayNamed(target: Target, id: string | undefined): Promise<GameDay> {
  const all = await gameDaysOf(target);
  const found = id === undefined ? all.at(-1) : all.find((day) => day.id === id);
  if (found !== undefined) return found;
  const ids = all.map((day) => day.id);
  const what =
    id === undefined
      ? "there has been no game day here"
      : `there is no game day ${id}${didYouMean(id, ids)}`;
  throw new CliFailure(EXIT.noSuchThing, what, "understudy drill failover list shows all of them");
}

/** A record goes to the primary of before first: what that refuses has not happened, and nobody else is told. */
export async function tellAll(target: Target, day: GameDay): Promise<void> {
  const { members } = await look(target);
  const arbiter = memberNamed({ scope: target.scope, members }, day.from);
  await tell(target, arbiter.apiUrl, day);
  const others = members.filter(({ name }) => name !== day.from);
  await Promise.allSettled(others.map(({ apiUrl }) => tell(target, apiUrl, day)));
}

/** For what nobody decides on. Throws when nobody answers at all. */
export async function tellEverybody(target: Target, day: GameDay): Promise<void> {
  const { members } = await look(target);
  await Promise.allSettled(members.map(({ apiUrl }) => tell(target, apiUrl, day)));
}

const tell = (target: Target, apiUrl: string, day: GameDay) =>
  change(target, { method: "POST", url: `${apiUrl}/understudy/game-days`, body: day });

/** Ends what is announced, in the name of `by`. Throws when nothing is, and when it has begun. */
export async function abortGameDay(target: Target, by: string): Promise<GameDay> {
  const open = (await gameDaysOf(target)).findLast(isOpen);
  if (open === undefined)
    throw new CliFailure(EXIT.noSuchThing, "no game day is announced", "nothing was done");
  if (open.state === "begun")
    throw new CliFailure(
      EXIT.precondition,
      `${open.id} has begun: it can not be taken back`,
      "the cluster ends it by itself, as it would a failure",
    );
  const aborted: GameDay = { ...open, state: "aborted", why: `${by} aborted it` };
  await tellAll(target, aborted);
  return aborted;
}
