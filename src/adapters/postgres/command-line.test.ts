import { expect, test } from "vitest";
import { parseCommandLine } from "./command-line.ts";

test("the settings of postmaster.opts, spaces and equal signs included", () => {
  const text = '/usr/bin/postgres "-D" "/data" "-c" "port=5432" "-c" "cluster_name=a b=c"\n';
  expect([...parseCommandLine(text)]).toEqual([
    ["port", "5432"],
    ["cluster_name", "a b=c"],
  ]);
});
