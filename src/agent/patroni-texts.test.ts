// The lines that an acceptance suite of Patroni's greps for: are they there when they are true, and once?
import { describe, expect, it } from "vitest";
import {
  config,
  following,
  given,
  leaderless,
  leading,
  peerSays,
  tagged,
} from "../../test/support/world.ts";
import { createLog } from "../adapters/system/log.ts";
import { decide } from "../controllers/ha/decide.ts";
import type { HaWorld } from "../controllers/ha/world.ts";
import { valueOf } from "../model/known.ts";
import { lsn } from "../model/lsn.ts";
import type { AnyReason } from "../model/reason.ts";
import { PatroniTexts, patroniTexts } from "./patroni-texts.ts";

const textsOf = (w: HaWorld, because: AnyReason = decide(w).because) =>
  patroniTexts(w, because).map(({ level, text }) => `${level} ${text}`);

describe("Patroni's texts", () => {
  it("say who leads and who follows", () => {
    expect(textsOf(leading())).toEqual(["info no action. I am (n1), the leader with the lock"]);
    expect(textsOf(following())).toEqual([
      "info no action. I am (n2), a secondary, and following a leader (n1)",
    ]);
  });

  it("say why a member does not race", () => {
    const barred = given(leaderless(), tagged({ nofailover: true }));
    expect(textsOf(barred)).toEqual([
      "info following a different leader because I am not allowed to promote",
    ]);
    const behind = given(leaderless(), peerSays("n3", { position: lsn(0x7000000) }));
    expect(textsOf(behind)).toEqual(["info Wal position of n3 is ahead of my wal position"]);
    const equal = given(
      leaderless(),
      peerSays("n3", { tags: { ...barred.self.tags, nofailover: false, failoverPriority: 2 } }),
    );
    expect(textsOf(equal)).toEqual([
      "info n3 has equally tolerable WAL position and priority 2, while this node has priority 1",
    ]);
  });

  it("say that WAL still comes from a primary whose key has gone", () => {
    const w = leaderless();
    const moved = (before: bigint, because: AnyReason) =>
      patroniTexts(w, because, lsn(before)).map(({ text }) => text);
    const now = valueOf(w.server.sql)?.position ?? 0n;
    for (const because of ["race_waiting_for_hold", "race_peer_is_primary"] as const)
      expect(moved(now - 8n, because)).toEqual(["wal position moved since last heart beat loop"]);
    expect(moved(now, "race_waiting_for_hold")).toEqual([]);
    expect(moved(now - 8n, "race_unhealthy")).toEqual([]);
  });

  it("warn of a strict mode without a standby, and of no other wait", () => {
    const strict = given(leading(), config({ synchronousModeStrict: true }));
    expect(textsOf(strict, "sync_waiting")).toEqual([
      "warn No active replication connections from Patroni members and synchronous_mode_strict is requested",
    ]);
    expect(textsOf(leading(), "sync_waiting")).toEqual([]);
  });

  it("are written when they become true", () => {
    const lines: string[] = [];
    const log = createLog({ level: "info", isPatronis: true, write: (line) => lines.push(line) });
    const texts = new PatroniTexts(log);
    const look = (world: HaWorld) => {
      texts.looked({ world, decision: decide(world), tookMs: 1, since: world.now });
    };
    for (const world of [leading(), leading(), following(), leading()]) look(world);
    expect(lines.map((line) => line.slice(24, -1))).toEqual([
      "INFO: no action. I am (n1), the leader with the lock",
      "INFO: no action. I am (n2), a secondary, and following a leader (n1)",
      "INFO: no action. I am (n1), the leader with the lock",
    ]);
  });
});
