import { expect } from "chai";
import { Transaction, Wallet, id } from "ethers";
import { signChecked, walletSigner } from "../../../keeper/execute/signer";

const wallet = new Wallet(id("keeper of a test"));
const transaction = {
  type: 2,
  chainId: 31337,
  nonce: 4,
  to: "0x1111111111111111111111111111111111111111",
  value: 0n,
  data: "0x1234",
  gasLimit: 100_000n,
  maxFeePerGas: 10n,
  maxPriorityFeePerGas: 1n,
};

describe("signer", () => {
  it("signs the same transaction to the same bytes", async () => {
    const first = await signChecked(walletSigner(wallet), transaction);
    expect(await signChecked(walletSigner(new Wallet(wallet.privateKey)), transaction)).to.deep.equal(first);
    expect(Transaction.from(first.raw)).to.include({ from: wallet.address, nonce: 4, hash: first.hash });
  });

  it("is not believed when it signs something else, or as somebody else", async () => {
    const changed = {
      address: wallet.address,
      signTransaction: () => wallet.signTransaction({ ...transaction, value: 1n }),
    };
    const other = {
      address: wallet.address,
      signTransaction: () => new Wallet(id("another")).signTransaction(transaction),
    };
    for (const signer of [changed, other]) {
      await signChecked(signer, transaction).then(
        () => expect.fail("it was believed"),
        (failure: { code?: string }) => expect(failure.code).to.equal("SIGNER_MISMATCH"),
      );
    }
  });
});
