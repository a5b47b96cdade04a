// Compiled contracts as npm carries them, and the linking of their libraries.
import { getAddress, type InterfaceAbi } from "ethers";

export interface Artifact {
  readonly abi: InterfaceAbi;
  readonly bytecode: string;
}

interface HardhatArtifact extends Artifact {
  readonly linkReferences: Record<
    string,
    Record<string, readonly { readonly start: number; readonly length: number }[]>
  >;
}

/** Loads an artifact by its path inside a package of npm. */
export function npmArtifact(modulePath: string): HardhatArtifact {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- the path is chosen at run time
  return require(modulePath) as HardhatArtifact;
}

/** Names of the libraries that the artifact's bytecode has to be linked with. */
export function librariesOf(artifact: HardhatArtifact): readonly string[] {
  return Object.values(artifact.linkReferences).flatMap((file) => Object.keys(file));
}

/** Writes the libraries' addresses into the gaps that the compiler left in the bytecode. */
export function link(artifact: HardhatArtifact, libraries: ReadonlyMap<string, string>): Artifact {
  let code = artifact.bytecode;
  for (const file of Object.values(artifact.linkReferences)) {
    for (const [library, gaps] of Object.entries(file)) {
      const address = libraries.get(library);
      if (address === undefined) throw new Error(`bytecode wants library ${library}, which is not deployed`);
      const digits = getAddress(address).slice(2).toLowerCase();
      for (const { start, length } of gaps) {
        // Offsets count bytes; the string has two digits a byte after its "0x".
        const from = 2 + start * 2;
        code = code.slice(0, from) + digits + code.slice(from + length * 2);
      }
    }
  }
  return { abi: artifact.abi, bytecode: code };
}
