// A contract to be created, described: which code, with which arguments. Nothing here touches a chain.
import { concat } from "ethers";
import { artifactOf, librariesOf, link, type Artifact } from "../artifacts";

export interface Creation {
  /** Unique in the deployment; names the contract to people. */
  readonly id: string;
  readonly artifact: Artifact;
  /** ABI-encoded constructor arguments. */
  readonly arguments: string;
}

/** The data of the transaction that creates the contract. */
export function creationData(creation: Creation, libraries: ReadonlyMap<string, string>): string {
  return concat([link(creation.artifact, libraries), creation.arguments]);
}

/** The libraries that the contracts call at addresses of their own, those that others need first. */
export function librariesFor(creations: readonly Creation[]): readonly Creation[] {
  const found = new Map<string, Creation>();
  const visit = (artifact: Artifact): void => {
    for (const name of librariesOf(artifact)) {
      if (found.has(name)) continue;
      const library = artifactOf(name);
      visit(library);
      found.set(name, { id: `library:${name.split(":")[1] ?? name}`, artifact: library, arguments: "0x" });
    }
  };
  for (const { artifact } of creations) visit(artifact);
  return [...found.values()];
}
