// Does Tab find what there is, in a real shell where there is one?
import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { bashScript, fishScript, placesOf, zshScript } from "./completion.ts";
import { buildProgram } from "./program.ts";

const places = placesOf(buildProgram());

/** What bash offers after these words; the program itself answers with two members. */
function offered(...words: readonly string[]): readonly string[] {
  const quoted = words.map((word) => `'${word}'`).join(" ");
  const script = `${bashScript(places)}
understudy() { printf 'n1\\nn2\\n'; }
COMP_WORDS=(understudy ${quoted}); COMP_CWORD=${words.length}; _understudy
printf '%s\\n' "\${COMPREPLY[@]}"`;
  const out = execFileSync("bash", ["--norc", "-c", script], { encoding: "utf8" });
  return out.split("\n").filter((word) => word !== "");
}

describe("bash", () => {
  it("offers commands, then their own commands and options", () => {
    expect(offered("res")).toEqual(["restart", "resume", "restore"]);
    expect(offered("config", "")).toContain("show");
    expect(offered("config", "show", "--")).toEqual(["--json"]);
    expect(offered("switchover", "--t")).toEqual(["--to"]);
  });

  it("offers members where one is meant, whatever stands between", () => {
    expect(offered("restart", "--pending", "n")).toEqual(["n1", "n2"]);
    expect(offered("restart", "cancel", "n")).toEqual(["n1", "n2"]);
    expect(offered("status", "n")).toEqual([]);
  });
});

describe("the other shells", () => {
  it("get every command that bash gets", () => {
    const fish = fishScript(places);
    for (const { path } of places.filter((place) => place.path !== "")) {
      const last = path.split(" ").at(-1) ?? "";
      expect(fish).toContain(last);
    }
    expect(zshScript(places)).toContain("bashcompinit");
  });

  it("say nothing of what is only for them", () => {
    expect(placesOf(buildProgram()).flatMap(({ words }) => words)).not.toContain(
      "complete-members",
    );
  });
});
