import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { parseNodeFile } from "../model/settings-file.ts";
import { usualPorts } from "./addresses.ts";
import { type LabOptions, layOut, USUAL_LAB } from "./layout.ts";
import { loopbackSubnets } from "./network.ts";
import { dynamicConfig, nodeFile, routerFile } from "./node-file.ts";

const options: LabOptions = { ...USUAL_LAB, routers: 1, dir: "/var/tmp/labs/lab" };
const ports = usualPorts();
const lab = layOut(options, { subnets: loopbackSubnets("127.70.1"), ports });

describe("a lab node's file", () => {
  it("is one that the agent accepts without a word", () => {
    const [first] = lab.members;
    if (first === undefined) throw new Error("the lab has no node");
    const text = nodeFile(lab, first, options);
    expect(parseNodeFile(text, "understudy.yml")).toMatchObject({ kind: "settings", warnings: [] });
    expect(parse(text)).toMatchObject({ scope: "lab-lab", name: "n1" });
  });

  it("has a backup and a drill at once where they run by themselves", () => {
    const [first] = lab.members;
    if (first === undefined) throw new Error("the lab has no node");
    const text = nodeFile(lab, first, { ...options, backup: true, schedules: true });
    const parsed = parseNodeFile(text, "understudy.yml");
    expect(parsed).toMatchObject({ kind: "settings", warnings: [] });
    if (parsed.kind !== "settings") return;
    const jobs = parsed.settings.backup?.schedules?.jobs ?? {};
    expect(Object.keys(jobs)).toEqual(["base", "drill", "expire"]);
  });

  it("of a router is accepted without a word too", () => {
    const [router] = lab.routers;
    if (router === undefined) throw new Error("the lab has no router");
    const parsed = parseNodeFile(routerFile(lab, router, { availability: true }), "understudy.yml");
    expect(parsed).toMatchObject({ kind: "router", warnings: [] });
  });

  it("has timings that fit the ttl", () => {
    const timings = (ttlSeconds: number) => {
      const { loop_wait, retry_timeout } = dynamicConfig({ ...options, ttlSeconds });
      return [loop_wait, retry_timeout];
    };
    expect(timings(10)).toEqual([2, 3]);
    expect(timings(5)).toEqual([1, 2]);
    expect(timings(30)).toEqual([2, 3]);
  });

  it("takes --set as configuration or as a server parameter", () => {
    const set = { maximum_lag_on_failover: "5", synchronous_mode: "true", work_mem: "8MB" };
    expect(dynamicConfig({ ...options, set })).toMatchObject({
      maximum_lag_on_failover: 5,
      synchronous_mode: true,
      postgresql: { parameters: { work_mem: "8MB" } },
    });
  });
});
