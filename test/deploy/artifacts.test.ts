import { expect } from "chai";
import { artifactOf, compareCode, librariesOf, link } from "../../deploy/artifacts";
import { librariesFor } from "../../deploy/modules/creation";
import { InputFailure } from "../../keeper/config/failure";

const VAULT = "contracts/Vault.sol:Vault";
const LIBRARY_ADDRESS = "0x00000000000000000000000000000000000000AA";

/** The runtime code as a deployment would leave it, every library at one address. */
function deployed(name: string): string {
  return artifactOf(name).runtimeCode.replace(/__\$[0-9a-f]{34}\$__/g, LIBRARY_ADDRESS.slice(2).toLowerCase());
}

function flip(code: string, byte: number): string {
  const at = 2 + byte * 2;
  const changed = (parseInt(code.slice(at, at + 2), 16) ^ 1).toString(16).padStart(2, "0");
  return code.slice(0, at) + changed + code.slice(at + 2);
}

describe("the comparison of deployed code", () => {
  it("finds the code of the sources equal, and the libraries that it is linked to", () => {
    const compared = compareCode(artifactOf(VAULT), deployed(VAULT));
    if (!compared.equal) throw new Error(compared.reason);
    expect([...compared.libraries.keys()].sort()).to.deep.equal([...librariesOf(artifactOf(VAULT))].sort());
    expect([...new Set(compared.libraries.values())]).to.deep.equal([LIBRARY_ADDRESS]);
  });

  it("finds a byte that differs, and says where", () => {
    expect(compareCode(artifactOf(VAULT), flip(deployed(VAULT), 700))).to.deep.equal({
      equal: false,
      reason: "differs from the compiled sources at byte 700",
    });
  });

  it("tells other sources from other instructions", () => {
    const code = deployed(VAULT);
    const compared = compareCode(artifactOf(VAULT), flip(code, code.length / 2 - 1 - 20));
    expect(compared.equal ? "" : compared.reason).to.contain("metadata");
  });

  it("finds missing, short and other code", () => {
    const reasons = ["0x", deployed(VAULT).slice(0, -2), deployed("contracts/Claims.sol:Claims")].map((code) => {
      const compared = compareCode(artifactOf(VAULT), code);
      return compared.equal ? "equal" : compared.reason;
    });
    expect(reasons[0]).to.equal("no code");
    for (const reason of reasons.slice(1)) expect(reason).to.match(/^\d+ bytes of code instead of \d+$/);
  });

  it("finds code that is linked to two addresses for one library", () => {
    const [library = ""] = librariesOf(artifactOf(VAULT));
    const [source = "", name = ""] = library.split(":");
    const place = artifactOf(VAULT).runtimeLinkReferences[source]?.[name]?.[0];
    const compared = compareCode(artifactOf(VAULT), flip(deployed(VAULT), place?.start ?? 0));
    expect(compared.equal ? "" : compared.reason).to.equal(`linked to two addresses for ${library}`);
  });

  it("does not mind what the constructor fills in, and nothing else of it", () => {
    // An adapter's immutables are zero in the artifact; its vault's address stands there once it is deployed.
    const name = "contracts/Claims.sol:Claims";
    const zeros = /7f0{64}/.exec(deployed(name));
    const start = ((zeros?.index ?? 0) - 2) / 2 + 1;
    expect(compareCode(artifactOf(name), flip(deployed(name), start + 31)).equal).to.equal(true);
    expect(compareCode(artifactOf(name), flip(deployed(name), start + 32)).equal).to.equal(false);
  });
});

describe("artifacts", () => {
  it("are linked with every library, or not at all", () => {
    const libraries = new Map(
      librariesFor([{ id: "vault", artifact: artifactOf(VAULT), arguments: "0x" }]).map(
        ({ artifact }) => [artifact.name, LIBRARY_ADDRESS] as const,
      ),
    );
    expect(link(artifactOf(VAULT), libraries)).to.match(/^0x[0-9a-f]+$/);
    libraries.delete([...libraries.keys()][0] ?? "");
    expect(() => link(artifactOf(VAULT), libraries)).to.throw(/without/);
  });

  it("are asked for by a name that exists", () => {
    expect(() => artifactOf("contracts/Vault.sol:Volt")).to.throw(InputFailure, /not compiled/);
  });
});
