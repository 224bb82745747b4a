import { expect, it } from "vitest";
import { virtualClock } from "../../test/support/clock.ts";
import { REMOTE, SITE } from "../../test/support/site-world.ts";
import { AppError } from "../model/error.ts";
import type { RemoteSite } from "../model/site.ts";
import { RemoteWatch } from "./remote-watch.ts";

interface Asked {
  readonly answer: (site: RemoteSite) => void;
  readonly fail: () => void;
}

function stage() {
  const clock = virtualClock();
  const asked: Asked[] = [];
  const lookAtSite = (): Promise<RemoteSite> =>
    new Promise((resolve, reject) => {
      const fail = () => reject(new AppError("PG_SQL_FAILED", "looking", "no route"));
      asked.push({ answer: resolve, fail });
    });
  return { clock, asked, watch: new RemoteWatch(clock, { lookAtSite }) };
}

it("answers with what a quick look has seen", async () => {
  const { asked, watch } = stage();
  const looking = watch.look(SITE);
  asked[0]?.answer(REMOTE);
  expect(await looking).toMatchObject({ seen: { kind: "known", value: REMOTE } });
});

it("does not wait for a slow one, asks nobody twice, and has its answer the next time", async () => {
  const { clock, asked, watch } = stage();
  const looking = watch.look(SITE);
  await clock.pass(300);
  expect(await looking).toMatchObject({ seen: { kind: "unknown" }, last: undefined });
  const again = watch.look(SITE);
  expect(asked).toHaveLength(1);
  asked[0]?.answer(REMOTE);
  expect(await again).toMatchObject({ seen: { kind: "known" } });
});

it("says why a look failed, and keeps what was seen last", async () => {
  const { asked, watch } = stage();
  const first = watch.look(SITE);
  asked[0]?.answer(REMOTE);
  await first;
  const second = watch.look(SITE);
  asked[1]?.fail();
  expect(await second).toMatchObject({
    seen: { kind: "unknown", why: "no route" },
    last: { site: REMOTE },
  });
});

it("takes nothing that was seen at another address, or long ago", async () => {
  const { clock, asked, watch } = stage();
  const first = watch.look(SITE);
  asked[0]?.answer(REMOTE);
  await first;
  await clock.pass(20_000);
  const late = watch.look(SITE);
  await clock.pass(300);
  expect(await late).toMatchObject({ seen: { kind: "unknown" }, last: { site: REMOTE } });
  const moved = watch.look({ ...SITE, host: "farther.example" });
  await clock.pass(300);
  expect(await moved).toMatchObject({ seen: { kind: "unknown" }, last: undefined });
});
