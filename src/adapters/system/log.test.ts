import { describe, expect, it } from "vitest";
import { AppError } from "../../model/error.ts";
import type { Log } from "../../ports/log.ts";
import { createLog, prettyLine } from "./log.ts";
import { CRITICAL } from "./patroni-line.ts";
import { createRandom } from "./random.ts";

describe("log", () => {
  it("writes a constant message with fields, one JSON object a line", () => {
    const lines: string[] = [];
    const log = createLog({
      level: "info",
      fields: { node: "a" },
      isTerminal: false,
      write: (line) => lines.push(line),
    });
    log.debug("not this");
    log.warn("the fence is lost", {
      term: 7,
      error: new AppError("TIMEOUT", "x", "y", new Error("z")),
    });
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({
      level: "warn",
      node: "a",
      msg: "the fence is lost",
      term: 7,
      error: { code: "TIMEOUT", cause: { message: "z" } },
    });
  });

  it("is readable on a terminal", () => {
    const lines: string[] = [];
    const write = (line: string): unknown => lines.push(line);
    createLog({ level: "info", isTerminal: true, write }).info("started", { node: "a b", n: 1 });
    expect(lines[0]).toMatch(/^\d\d:\d\d:\d\d\.\d{3} info {2}started node="a b" n=1\n$/);
    expect(prettyLine('{"time":"2026-01-02T03:04:05.678Z","level":"error","msg":"m"}')).toBe(
      "03:04:05.678 error m\n",
    );
  });
});

describe("a log in Patroni's form", () => {
  const logged = (write: (log: Log) => void): string => {
    const lines: string[] = [];
    const options = { level: "info", isPatronis: true, isTerminal: true } as const;
    write(createLog({ ...options, fields: { node: "a" }, write: (line) => lines.push(line) }));
    return lines.join("");
  };

  it("has the level where its readers look for it", () => {
    const line = logged((log) => log.warn("the fence is lost", { term: 7, why: "no answer" }));
    expect(line).toMatch(
      /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} WARNING: the fence is lost term=7 why="no answer"\n$/,
    );
    expect(line.slice(24)).toMatch(/^WARNING/);
    expect(logged((log) => log.error("it ends", CRITICAL)).slice(24)).toBe("CRITICAL: it ends\n");
  });
});

describe("random", () => {
  it("gives positive lease ids that the store can hold", () => {
    const random = createRandom();
    for (let i = 0; i < 100; i += 1) {
      const id = BigInt(random.leaseId());
      expect(id > 0n && id < 2n ** 62n).toBe(true);
      expect(random.integer(3)).toBeLessThan(3);
    }
  });
});
