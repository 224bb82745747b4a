// The configuration's text: what each route cuts, what it does not, and which file a process runs with.
import { describe, expect, it } from "vitest";
import { fingerprintOf, listeners, type RenderOptions, renderConfig } from "./render.ts";

const at = (port: number) => ({ host: "127.0.0.1", port });
const OPTIONS: RenderOptions = {
  settings: {
    bin: "haproxy",
    dir: "/state/haproxy",
    write: at(5000),
    read: at(5001),
    report: at(5002),
    stats: at(7000),
    balance: "leastconn",
    maxConn: 2000,
  },
  maxLagBytes: 1024,
  maxReportLagBytes: 4096,
  readsFromPrimary: false,
  checkTls: undefined,
  user: undefined,
};

/** The lines of one section. */
function sectionOf(text: string, name: string): string {
  return text.split(/\n(?=\S)/).find((part) => part.startsWith(name)) ?? "";
}

describe("renderConfig", () => {
  const text = renderConfig(OPTIONS);

  it("cuts sessions of a server that is down on the write route only", () => {
    expect(sectionOf(text, "listen write")).toContain("on-marked-down shutdown-sessions");
    expect(sectionOf(text, "listen read")).not.toContain("on-marked-down");
    expect(sectionOf(text, "listen report")).not.toContain("on-marked-down");
  });

  it("asks the agents who is the primary, and who is fresh enough", () => {
    expect(sectionOf(text, "listen write")).toContain("uri /primary ");
    expect(sectionOf(text, "listen read")).toMatch(/uri \/\w+\?lag=1024 /);
    expect(sectionOf(text, "listen report")).toMatch(/uri \/\w+\?lag=4096 /);
    const generous = renderConfig({ ...OPTIONS, readsFromPrimary: true });
    expect(sectionOf(generous, "listen read")).toContain("uri /read-only?lag=1024 ");
  });

  it("balances reads as told, and finds vanished peers by keep-alives", () => {
    expect(sectionOf(text, "listen read")).toContain("balance leastconn");
    expect(sectionOf(text, "defaults")).toContain("srvtcpka-idle 5s");
  });

  it("leaves out what is not configured", () => {
    const { write } = OPTIONS.settings;
    const settings = { ...OPTIONS.settings, read: undefined, report: undefined, stats: undefined };
    const small = renderConfig({ ...OPTIONS, settings });
    expect(small.match(/^listen .*/gm)).toEqual(["listen write"]);
    expect(listeners(settings)).toEqual([["write", write]]);
  });

  it("shows a certificate where the agents ask for one, and verifies theirs", () => {
    const checkTls = { cafile: "/tls/ca.pem", pem: "/state/haproxy/check.pem" };
    const secure = renderConfig({ ...OPTIONS, checkTls });
    expect(sectionOf(secure, "listen read")).toContain(
      "check-ssl verify required ca-file /tls/ca.pem crt /state/haproxy/check.pem",
    );
  });

  it("gives up root's rights when it has them", () => {
    expect(text).not.toMatch(/^ {2}uid/m);
    expect(renderConfig({ ...OPTIONS, user: { uid: 5, gid: 6 } })).toContain("  uid 5\n  gid 6");
  });

  it("carries a fingerprint that changes with anything else in it", () => {
    const other = renderConfig({ ...OPTIONS, maxLagBytes: 2048 });
    expect(fingerprintOf(text)).toMatch(/^[0-9a-f]{16}$/);
    expect(fingerprintOf(renderConfig(OPTIONS))).toBe(fingerprintOf(text));
    expect(fingerprintOf(other)).not.toBe(fingerprintOf(text));
  });

  it("writes IPv6 addresses in brackets", () => {
    const settings = { ...OPTIONS.settings, write: { host: "::1", port: 5000 } };
    expect(renderConfig({ ...OPTIONS, settings })).toContain("bind [::1]:5000");
  });
});
