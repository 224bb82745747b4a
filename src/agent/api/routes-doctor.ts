// Is this node fit for what is asked of it? Somebody else looks; here the question comes in.
import { failure, json, type Route, text } from "./route.ts";

export const DOCTOR_ROUTES: readonly Route[] = [
  {
    method: "POST",
    path: "/understudy/doctor",
    about:
      "looks at host, server, store and network and tells what it saw; `fix` puts right what is safe",
    body: "optional",
    async answer({ doctor }, { body }) {
      if (doctor === undefined) return text(404, "this agent has no doctor");
      try {
        const facts: unknown = JSON.parse(await doctor({ fix: body?.["fix"] === true }));
        return json(facts);
      } catch (error) {
        return failure(error, "looking at this host");
      }
    },
  },
];
