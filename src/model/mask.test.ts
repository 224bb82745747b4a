// Does a secret get through, in any of the forms in which logs and settings carry it?
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mask } from "./mask.ts";

const SECRET = "corréct-horse'42";

describe("a secret that nobody knows the value of", () => {
  it.each([
    ["yaml", "    password: tr0ub4dor\n"],
    ["yaml in quotes", `    password: "tr0ub4dor and more"`],
    ["json", `{"replication":{"password":"tr0ub4dor"}}`],
    ["a connection string", "host=a user=b password=tr0ub4dor sslmode=require"],
    ["one in quotes", "primary_conninfo = 'user=b password=''tr0ub4dor'' host=a'"],
    ["a URL", "postgresql://ann:tr0ub4dor@10.0.0.1:5432/app"],
    ["a statement", "STATEMENT:  ALTER ROLE ann PASSWORD 'tr0ub4dor'"],
    ["another statement", "CREATE ROLE ann ENCRYPTED PASSWORD E'tr0ub4dor'"],
    ["a header", "authorization: Basic dHIwdWI0ZG9y"],
    ["a verifier", "SCRAM-SHA-256$4096:c2FsdA==$dHIwdWI0ZG9y:c2VydmVy"],
    ["an old verifier", "md5d41d8cd98f00b204e9800998ecf8427e"],
    ["a private key", "AGE-SECRET-KEY-1TR0UB4DORDHIWDWI0ZG9Y"],
    ["a key of S3", "secret_key: tr0ub4dor"],
    ["a pem", "-----BEGIN PRIVATE KEY-----\ntr0ub4dor\n-----END PRIVATE KEY-----"],
  ])("is masked in %s", (_, text) => {
    const masked = mask(text, []);
    expect(masked).toContain("******");
    expect(masked).not.toMatch(/tr0ub4dor|dHIwdWI0ZG9y|d41d8cd98f|TR0UB4DOR/);
  });
});

describe("a secret that is known", () => {
  it("is masked wherever it stands and however it is written", () => {
    const written = [
      SECRET,
      JSON.stringify(SECRET),
      encodeURIComponent(SECRET),
      SECRET.replaceAll("'", "''"),
    ];
    for (const form of written)
      expect(mask(`he said ${form}, and left`, [SECRET])).toBe(
        form.startsWith('"') ? 'he said "******", and left' : "he said ******, and left",
      );
  });

  it("never stays in a text, whatever stands around it", () => {
    const secret = fc
      .string({ minLength: 8, maxLength: 20 })
      .filter((text) => /\w{6}/.test(text) && !text.includes("*"));
    fc.assert(
      fc.property(secret, fc.string(), fc.string(), (value, before, after) => {
        expect(mask(`${before}${value}${after}`, [value]).includes(value)).toBe(false);
      }),
    );
  });
});

describe("what is no secret", () => {
  it.each([
    "password_encryption = scram-sha-256",
    "authentication:\n  superuser:\n    username: postgres",
    "LOG:  checkpoint complete: wrote 42 buffers",
    "the agent starts, version 0.1.0, scope demo",
    "postgresql://10.0.0.1:5432/app",
  ])("stays: %s", (text) => {
    expect(mask(text, [])).toBe(text);
  });

  it("JSON remains JSON", () => {
    const masked = mask(JSON.stringify({ password: 'a"b', n: 1, tokens: ["x"] }), []);
    expect(JSON.parse(masked)).toEqual({ password: "******", n: 1, tokens: ["x"] });
  });
});
