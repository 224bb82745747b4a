// The commands of a page, in the order in which a reader pastes them.

/** The lines of every `sh` block. Comments and blank lines are left out. */
export const commandsIn = (markdown: string): readonly string[] =>
  [...markdown.matchAll(/^```sh\n([\s\S]*?)^```/gm)]
    .flatMap(([, block = ""]) => block.split("\n"))
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
