// Does an event survive its file, and does everything else stay out?
import { describe, expect, it } from "vitest";
import { eventText, type NodeEvent, parseEvents, printEvent } from "./event.ts";

const exit: NodeEvent = {
  node: "n1",
  seq: 7,
  at: 1_795_392_000_123,
  kind: "server-exit",
  pid: 4711,
  signal: "SIGKILL",
};

describe("an event's line", () => {
  it("says the same when it is read again", () => {
    expect(parseEvents(`${printEvent(exit)}\n${printEvent({ ...exit, seq: 8 })}\n`)).toEqual([
      exit,
      { ...exit, seq: 8 },
    ]);
  });

  it("is left out when it was cut short, is none, or of a kind not known here", () => {
    const cut = printEvent(exit).slice(0, -5);
    const other = JSON.stringify({ ...exit, kind: "of-a-later-version" });
    expect(parseEvents(`${other}\n[]\nnull\n{"node":"n1"}\n\n${cut}`)).toEqual([]);
  });
});

describe("an event's sentence", () => {
  it("names the signal or the code with which a server ended", () => {
    expect(eventText(exit)).toBe("the server process 4711 ended by SIGKILL");
    expect(eventText({ kind: "server-exit", pid: 1, code: 2 })).toContain("with code 2");
  });

  it("is the reason's own for a decision, and the bare code for one not known here", () => {
    expect(eventText({ kind: "decision", because: "leading", detail: "x" })).toBe(
      "this member is the primary and holds the lease (x)",
    );
    expect(eventText({ kind: "decision", because: "of_a_later_version" })).toBe(
      "of_a_later_version",
    );
  });

  it("shows what speaks for a lack of memory only when there is such", () => {
    const calm = eventText({ kind: "evidence", oomKills: 0, logLines: ["last words"] });
    expect(calm).toBe("its log ends: last words");
    expect(eventText({ kind: "evidence", oomKills: 2, logLines: [] })).toContain(
      "killed 2 for want of memory",
    );
  });
});
