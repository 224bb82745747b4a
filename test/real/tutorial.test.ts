// Does the tutorial work as written? Its commands are taken from the page and run in a shell.
import { execFile } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { commandsIn } from "../support/markdown.ts";

const execute = promisify(execFile);
const root = join(import.meta.dirname, "..", "..");
const PAGES = ["docs/tutorial/first-failover.md", "README.md"] as const;
const INCIDENT_PAGE = "docs/tutorial/an-incident.md";
const COMMAND_LIMIT_MS = 100_000;
const PAGE_LIMIT_MS = 280_000;

/** In the README only what follows this mark is the tutorial; `npm test` above it would run this test. */
function tutorialOf(page: string): string {
  const text = readFileSync(join(root, page), "utf8");
  const mark = "<!-- tutorial -->";
  return text.includes(mark) ? (text.split(mark)[1]?.split("\n## ")[0] ?? "") : text;
}

describe("a reader who pastes every command", () => {
  // A lab of the reader's own, should one run here already, is neither seen nor touched.
  let place = "";
  beforeAll(() => {
    place = mkdtempSync(join(process.getuid?.() === 0 ? "/var/tmp" : tmpdir(), "us-tut-"));
    // The servers' user must be able to enter it.
    chmodSync(place, 0o755);
  });
  afterAll(async () => {
    await run("npx understudy lab down");
    rmSync(place, { recursive: true, force: true });
  });

  const run = (command: string) =>
    execute("bash", ["-c", command], {
      cwd: root,
      timeout: COMMAND_LIMIT_MS,
      env: {
        ...process.env,
        XDG_RUNTIME_DIR: place,
        UNDERSTUDY_LABS: place,
        PGCONNECT_TIMEOUT: "5",
      },
    });

  it.each(PAGES)("gets through %s", { timeout: PAGE_LIMIT_MS }, async (page) => {
    const outputs = new Map<string, string>();
    for (const command of commandsIn(tutorialOf(page))) {
      const { stdout } = await run(command);
      outputs.set(command, stdout);
    }
    const select = [...outputs].find(([command]) => command.includes("SELECT *"));
    expect(select?.[1]).toContain("(2 rows)");
    const kill = [...outputs].find(([command]) => command.includes("chaos kill"));
    expect(kill?.[1]).toContain("none lost");
  });

  it("finds the root cause of an incident", { timeout: PAGE_LIMIT_MS }, async () => {
    const shown: string[] = [];
    let acknowledged = "";
    for (const command of commandsIn(tutorialOf(INCIDENT_PAGE))) {
      const { stdout } = await run(command);
      if (command.endsWith("incident show")) shown.push(stdout.replaceAll(/\s+/g, " "));
      if (command.includes("incident ack")) acknowledged = stdout;
    }
    expect(shown).toHaveLength(2);
    // While the host is away the others can only say that it is gone; then it tells its own part.
    expect(shown[0]).toContain("is gone, or nobody can reach it");
    expect(shown[1]).toContain("the host was not booted");
    expect(acknowledged).toContain("acknowledged by the engineer on call");
  });
});
