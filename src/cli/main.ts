// The command line: runs one command, and turns every failure into a few lines and an exit code.
import { CommanderError } from "commander";
import pc from "picocolors";
import { EXIT, failureOf } from "./exit.ts";
import { buildProgram } from "./program.ts";
import { say } from "./terminal.ts";

// A reader that has seen enough (`| head`) is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(EXIT.ok);
  throw error;
});

try {
  await buildProgram().parseAsync(process.argv);
} catch (error) {
  if (error instanceof CommanderError) {
    // Its own words are out already.
    process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  } else {
    const { exit, lines } = failureOf(error);
    const [what = "", ...more] = lines;
    say([pc.red(what), ...more].join("\n"));
    process.exitCode = exit;
  }
}
