import { describe, expect, it } from "vitest";
import { usualPorts } from "./addresses.ts";
import { belonging } from "./belongings.ts";
import { layOut, USUAL_LAB } from "./layout.ts";
import { loopbackSubnets } from "./network.ts";

const dir = "/var/tmp/labs/lab";
const ports = usualPorts();
const lab = layOut(
  { ...USUAL_LAB, dir, routers: 1 },
  { subnets: loopbackSubnets("127.70.1"), ports },
);

const look = (args: readonly string[], cwd = "/", name = args[0] ?? "") => {
  const found = belonging(lab, { pid: 7, parent: 1, startTime: "1", state: "S", name, args, cwd });
  return found === undefined ? undefined : `${found.role} of ${found.node}`;
};

describe("a process belongs to the lab", () => {
  it("when it is one of its programs", () => {
    const agent = ["node", `${dir}/bin/agent.mjs`, "-c", `${dir}/n2/understudy.yml`];
    expect(look(agent)).toBe("agent of n2");
    expect(look([`understudy-fence ${dir}/n1/data`], "/", "node")).toBe("fence of n1");
    const young = ["node", `${dir}/bin/fence.mjs`, "--data", `${dir}/n1/data`];
    expect(look(young)).toBe("fence of n1");
    expect(look(["/usr/sbin/haproxy", "-db", "-f", `${dir}/r1/haproxy/haproxy.cfg`])).toBe(
      "haproxy of r1",
    );
    expect(look(["/usr/bin/etcd", "--name=e3", `--data-dir=${dir}/e3/data`])).toBe("etcd of e3");
  });

  it("when it is a server that works in one of its folders, also in a removed one", () => {
    const inData = (args: readonly string[]) => look(args, `${dir}/n3/data (deleted)`, "postgres");
    expect(inData(["/usr/lib/postgresql/15/bin/postgres", "-D", "x"])).toBe("postmaster of n3");
    expect(inData(["postgres: n3: checkpointer "])).toBe("backend of n3");
  });

  it("but is no server of the cluster when a drill has started it", () => {
    const copy = `${dir}/n3/state/server/drill/20261127T082000Z-063dd4a5/data`;
    expect(look(["/usr/lib/postgresql/15/bin/postgres", "-D", copy], copy, "postgres")).toBe(
      "tool of n3",
    );
    expect(look(["postgres: understudy_drill: checkpointer "], copy, "postgres")).toBe(
      "tool of n3",
    );
  });

  it("and not when it merely looks at it, or is another lab's", () => {
    expect(look(["tail", "-f", `${dir}/n1/agent.log`])).toBeUndefined();
    expect(look(["psql", "-h", `${dir}/n1/run`], `${dir}/n1`, "psql")).toBeUndefined();
    expect(look([`understudy-fence ${dir}2/n1/data`], "/", "node")).toBeUndefined();
    expect(look(["node", `${dir}/bin/fence.mjs`, `${dir}2/n1/data`])).toBeUndefined();
    expect(look(["postgres"], `${dir}2/n1/data`, "postgres")).toBeUndefined();
  });
});
