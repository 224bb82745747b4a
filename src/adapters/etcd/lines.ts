// Where does one JSON frame of an endless answer stop and the next one begin?
import { StringDecoder } from "node:string_decoder";

/** Takes chunks as the network cut them and calls `onLine` for every whole, non-empty line. */
export function createLines(onLine: (line: string) => void): (chunk: Buffer) => void {
  const decoder = new StringDecoder("utf8");
  let rest = "";
  return (chunk) => {
    const lines = (rest + decoder.write(chunk)).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line.trim() !== "") onLine(line);
  };
}
