import pg from "pg";
import { describe, expect, it } from "vitest";
import { failureOfWrite } from "./failures.ts";

function refusal(code: string, message: string): Error {
  const error = new pg.DatabaseError(message, message.length, "error");
  error.code = code;
  return error;
}

describe("a failed write", () => {
  it("was refused when the pooler had no server for it, or the server takes no writes", () => {
    const failing = "server login has been failing, try again later (server_login_retry)";
    expect(failureOfWrite(refusal("08P01", failing))).toBe("refused");
    expect(failureOfWrite(refusal("25006", "cannot execute INSERT"))).toBe("refused");
  });

  it("was in flight when the server or its connection ended under it", () => {
    expect(failureOfWrite(refusal("08P01", "server conn crashed?"))).toBe("in-flight");
    expect(failureOfWrite(refusal("57P01", "terminating connection"))).toBe("in-flight");
    expect(failureOfWrite(new Error("Connection terminated unexpectedly"))).toBe("in-flight");
  });
});
