import { expect } from "chai";
import { Wallet, id } from "ethers";
import { signerOf } from "../../../scripts/relay/signature";

const BURNT_ADDRESS = "0x96216849c49358B10257cb55b28eA603c874b05E";
const BURNT_SIGNATURE =
  "0x1446053488f02d460c012c84c4091cd5054d98c6cfca01b65f6c1a72773e80e60b8a4931aeee7ed18ce3adb45b2107e8c59e25556c1f871a8334e30e5bddbed21c";
const bytes = (text: string): Uint8Array => Buffer.from(text, "utf8");

describe("X-Flashbots-Signature", () => {
  it("accepts the test vector of flashbots/go-utils", () => {
    expect(signerOf(bytes("Hello"), `${BURNT_ADDRESS}:${BURNT_SIGNATURE}`)).to.equal(BURNT_ADDRESS);
  });

  it("accepts an address in another case, and v written as 0 or 1", () => {
    const low = `${BURNT_ADDRESS.toLowerCase()}:${BURNT_SIGNATURE.slice(0, -2)}01`;
    expect(signerOf(bytes("Hello"), low)).to.equal(BURNT_ADDRESS);
    const other = `${BURNT_ADDRESS.toLowerCase()}:${BURNT_SIGNATURE.slice(0, -2)}00`;
    expect(signerOf(bytes("Hello"), other)).to.equal(null);
  });

  it("refuses a body that differs by one byte", () => {
    expect(signerOf(bytes("Hello "), `${BURNT_ADDRESS}:${BURNT_SIGNATURE}`)).to.equal(null);
  });

  it("refuses the signature of somebody else", () => {
    const other = "0x0000000000000000000000000000000000000001";
    expect(signerOf(bytes("Hello"), `${other}:${BURNT_SIGNATURE}`)).to.equal(null);
  });

  it("refuses a signature over the 32 bytes of the hash instead of its hex string", async () => {
    const wallet = new Wallet(id("some key"));
    const overBytes = await wallet.signMessage(Buffer.from(id("Hello").slice(2), "hex"));
    expect(signerOf(bytes("Hello"), `${wallet.address}:${overBytes}`)).to.equal(null);
    const overString = await wallet.signMessage(id("Hello"));
    expect(signerOf(bytes("Hello"), `${wallet.address}:${overString}`)).to.equal(wallet.address);
  });

  for (const header of [undefined, "", ":", BURNT_ADDRESS, `${BURNT_ADDRESS}:`, `${BURNT_ADDRESS}:0x12`, `a:b:c`]) {
    it(`refuses the header ${JSON.stringify(header)}`, () => {
      expect(signerOf(bytes("Hello"), header)).to.equal(null);
    });
  }
});
