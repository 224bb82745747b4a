// Is nothing measured unasked, and everything wrong about a wish for it said with its place?
import { describe, expect, it } from "vitest";
import { parseNodeFile } from "./settings-file.ts";

const ROUTER = `scope: demo
name: r1
restapi: {connect_address: "10.0.0.9:8008"}
etcd3: {hosts: "10.0.0.1:2379"}
router: {haproxy: {write: "10.0.0.9:5000"}}
`;
const read = (more: string) => parseNodeFile(ROUTER + more, "r1.yml");
const availabilityOf = (more: string) => {
  const file = read(more);
  return file.kind === "refused" ? undefined : file.settings.availability;
};
const problemsOf = (more: string): string => {
  const file = read(more);
  return file.kind === "refused" ? file.problems.map(({ message }) => message).join("\n") : "";
};

describe("the section availability", () => {
  it("is absent, and so is every probe, unless somebody writes it", () => {
    expect(read("").kind).not.toBe("refused");
    expect(availabilityOf("")).toBeUndefined();
  });

  it("needs a database, a user and a way in; the rest has usual values", () => {
    const found = availabilityOf(
      "availability: {database: app, username: probe, password: geheim, paths: {pooled: '10.0.0.9:6432'}}\n",
    );
    expect(found).toMatchObject({
      database: "app",
      table: "understudy_probe",
      everyMs: 1_000,
      objective: { availability: 0.9999 },
      paths: [{ name: "pooled", addresses: [{ host: "10.0.0.9", port: 6432 }] }],
    });
    expect(JSON.stringify(found)).not.toContain("geheim");
  });

  it("takes an objective in percent, a rhythm, and several addresses for one way", () => {
    const found = availabilityOf(
      "availability: {database: app, username: p, every: 250ms, objective: 99.9, planned_percent: 50, paths: {direct: [n1, 'n2:5433']}}\n",
    );
    expect(found?.objective.availability).toBeCloseTo(0.999, 9);
    expect(found).toMatchObject({
      everyMs: 250,
      objective: { plannedShare: 0.5 },
      paths: [
        {
          addresses: [
            { host: "n1", port: 5432 },
            { host: "n2", port: 5433 },
          ],
        },
      ],
    });
  });

  it("says what is wrong", () => {
    const rest = "username: p, paths: {a: n1}";
    expect(problemsOf(`availability: {${rest}}\n`)).toContain("database");
    expect(problemsOf("availability: {database: d, username: p}\n")).toContain("paths");
    const wrong = (words: string) => problemsOf(`availability: {database: d, ${rest}, ${words}}\n`);
    expect(wrong("every: 1ms")).toContain("every");
    expect(wrong("objective: 100")).toContain("objective");
    expect(wrong("objective: good")).toContain("objective");
    expect(wrong('table: "x; DROP"')).toContain("table");
    expect(wrong("planned_percent: 120")).toContain("planned_percent");
  });
});
