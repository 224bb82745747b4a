// Do dashboard and alerts speak of numbers that there are, and of pages and commands that there are?
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { buildProgram } from "../../src/cli/program.ts";

const root = join(import.meta.dirname, "..", "..");
const read = (path: string): string => readFileSync(join(root, path), "utf8");

/** The reference is made from the code, and a check compares the two. */
const EXPORTED = new Set(read("docs/reference/metrics.md").match(/(?<=^\| `)\w+/gm));
const METRIC = /\b(?:understudy|patroni)_\w+/g;

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly action: string };
}
const { groups } = parse(read("monitoring/alerts.yml")) as {
  readonly groups: readonly { readonly rules: readonly Rule[] }[];
};
const RULES = groups.flatMap(({ rules }) => rules);

interface Panel {
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly targets?: readonly { readonly expr: string }[];
}
const { panels } = JSON.parse(read("monitoring/grafana.json")) as {
  readonly panels: readonly Panel[];
};

describe("the alert rules", () => {
  it.each(RULES)("$alert asks for numbers that are exported, and says what to do", (rule) => {
    const named = rule.expr.match(METRIC) ?? [];
    expect(named.filter((name) => !EXPORTED.has(name))).toEqual([]);
    expect(named.length + (rule.expr.includes("up{") ? 1 : 0)).toBeGreaterThan(0);
    expect(["critical", "warning", "info"]).toContain(rule.labels.severity);
    expect(rule.annotations.summary).not.toBe("");
    for (const page of rule.annotations.action.match(/docs\/[\w/.-]+\.md/g) ?? []) {
      expect(existsSync(join(root, page)), page).toBe(true);
    }
    const commands = buildProgram().commands.map((command) => command.name());
    for (const [, name] of rule.annotations.action.matchAll(/understudy ([a-z]+)/g)) {
      expect(commands).toContain(name);
    }
  });

  it("have each a name of its own", () => {
    const names = RULES.map(({ alert }) => alert);
    expect(new Set(names).size).toBe(names.length);
  });
});

describe("the dashboard", () => {
  it.each(panels.filter(({ type }) => type !== "row"))("$title shows what is exported", (panel) => {
    const named = (panel.targets ?? []).flatMap(({ expr }) => expr.match(METRIC) ?? []);
    expect(named.length).toBeGreaterThan(0);
    expect(named.filter((name) => !EXPORTED.has(name))).toEqual([]);
    expect(panel.description).not.toBe("");
  });
});
