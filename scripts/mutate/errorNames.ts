// Hardhat names a custom error in its messages when it knows the code that threw it; of a mutant it knows only the
// interface. Some tests read the message, and should not fail for that.
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { Interface, type JsonFragment } from "ethers";

const UNNAMED = /with an unrecognized custom error \(return data: (0x[0-9a-f]{8,})\)/;

/** Every custom error in a folder of artifacts. */
export function errorsIn(folder: string): Interface {
  const fragments = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".json"))
    .flatMap((file) => {
      const { abi } = JSON.parse(readFileSync(path.join(folder, file), "utf8")) as { abi?: readonly JsonFragment[] };
      return (abi ?? []).filter(({ type }) => type === "error");
    });
  // Ethers wants each once.
  return new Interface([...new Map(fragments.map((error) => [JSON.stringify(error), error])).values()]);
}

/** The message as Hardhat writes it of code that it knows. */
export function withErrorName(message: string, errors: Interface): string {
  return message.replace(UNNAMED, (whole, data: string) => {
    const error = errors.parseError(data);
    if (error === null) return whole;
    return `with custom error '${error.name}(${error.args.map((value) => String(value)).join(", ")})'`;
  });
}
