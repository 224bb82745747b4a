// A simulated port for a test that knows nothing of virtual time: time passes while somebody waits for an answer.
import type { Room } from "../../src/sim/testing.ts";

export function driven<T extends object>(r: Room, port: T): T {
  return new Proxy(port, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== "function") return value;
      return (...args: readonly unknown[]): unknown => {
        const answer: unknown = Reflect.apply(value, target, args);
        return answer instanceof Promise ? r.drive(answer) : answer;
      };
    },
  });
}
