// ERC-2612 on the vault's own shares: what a holder's signature allows, once and until when, and what it does not. The permit
// of the asset (`permitAsset`) is in Vault.test.ts.
import { loadFixture, takeSnapshot, time } from "@nomicfoundation/hardhat-network-helpers";
import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/signers";
import { expect } from "chai";
import { ethers } from "hardhat";
import { MAX, PERMIT_TYPES, WAD, YEAR, defaultTerms, deploySystem, deposit, type System } from "./deployment";

const HELD = 1_000n * WAD;
const ALLOWED = 400n * WAD;

interface Signed {
  readonly value: bigint;
  readonly deadline: bigint;
  readonly v: number;
  readonly r: string;
  readonly s: string;
}

interface Terms {
  readonly value?: bigint;
  readonly deadline?: bigint;
  readonly nonce?: bigint;
  readonly chainId?: bigint;
  readonly verifyingContract?: string;
  readonly name?: string;
  readonly signer?: HardhatEthersSigner;
}

/** 1,000 whole shares of Alice's. */
async function held(): Promise<System> {
  const system = await deploySystem({ venues: 1 });
  await deposit(system, system.alice, 1_000n * system.unit);
  return system;
}

/** Alice's signature for Bob; where `terms` say otherwise, of something else than Alice's permit for this vault. */
async function sign({ vault, alice, bob }: System, terms: Terms = {}): Promise<Signed> {
  const { value = ALLOWED, deadline = BigInt(await time.latest()) + YEAR, nonce = 0n, signer = alice } = terms;
  const { chainId = 31337n, verifyingContract = await vault.getAddress(), name = defaultTerms.name } = terms;
  const { v, r, s } = ethers.Signature.from(
    await signer.signTypedData({ name, version: "1", chainId, verifyingContract }, PERMIT_TYPES, {
      owner: alice.address,
      spender: bob.address,
      value,
      nonce,
      deadline,
    }),
  );
  return { value, deadline, v, r, s };
}

/** Sent by a stranger, who is neither the holder nor the spender. */
const permit = ({ vault, alice, bob, stranger }: System, { value, deadline, v, r, s }: Signed) =>
  vault.connect(stranger).permit(alice.address, bob.address, value, deadline, v, r, s);

/** The signature gives Bob nothing, and Alice's next permit is still her first. */
async function refuses(system: System, signed: Signed, error: string): Promise<void> {
  const { vault, alice, bob } = system;
  await expect(permit(system, signed)).to.be.revertedWithCustomError(vault, error);
  expect(await vault.allowance(alice.address, bob.address)).to.equal(0n);
  expect(await vault.nonces(alice.address)).to.equal(0n);
}

describe("Vault: a permit on its shares", () => {
  it("sets the allowance by the holder's signature, whoever sends it, and uses one nonce up", async () => {
    const system = await loadFixture(held);
    const { vault, alice, bob } = system;
    await expect(permit(system, await sign(system)))
      .to.emit(vault, "Approval")
      .withArgs(alice.address, bob.address, ALLOWED);
    expect(await vault.allowance(alice.address, bob.address)).to.equal(ALLOWED);
    expect(await vault.allowance(bob.address, alice.address)).to.equal(0n);
    expect(await vault.nonces(alice.address)).to.equal(1n);
    expect(await vault.nonces(bob.address)).to.equal(0n);
  });

  it("signs under the domain that the vault tells of itself", async () => {
    const { vault } = await loadFixture(held);
    const { name, version, chainId, verifyingContract } = await vault.eip712Domain();
    expect([name, version, chainId, verifyingContract]).to.deep.equal([
      defaultTerms.name,
      "1",
      31337n,
      await vault.getAddress(),
    ]);
    expect(await vault.DOMAIN_SEPARATOR()).to.equal(
      ethers.TypedDataEncoder.hashDomain({ name, version, chainId, verifyingContract }),
    );
  });

  it("lets the spender transfer, redeem and withdraw as much, and no share more", async () => {
    const system = await loadFixture(held);
    const { vault, token, alice, bob, unit } = system;
    await permit(system, await sign(system));
    await vault.connect(bob).transferFrom(alice.address, bob.address, 100n * WAD);
    expect(await vault.balanceOf(bob.address)).to.equal(100n * WAD);

    const before = await token.balanceOf(bob.address);
    await vault.connect(bob)["redeem(uint256,address,address)"](200n * WAD, bob.address, alice.address);
    await vault.connect(bob)["withdraw(uint256,address,address)"](100n * unit, bob.address, alice.address);
    expect((await token.balanceOf(bob.address)) - before).to.equal(300n * unit);
    expect(await vault.balanceOf(alice.address)).to.equal(HELD - ALLOWED);
    expect(await vault.allowance(alice.address, bob.address)).to.equal(0n);
    await expect(vault.connect(bob)["redeem(uint256,address,address)"](1n, bob.address, alice.address))
      .to.be.revertedWithCustomError(vault, "ERC20InsufficientAllowance")
      .withArgs(bob.address, 0n, 1n);
  });

  it("goes before the exit that it allows, in one transaction", async () => {
    const system = await loadFixture(held);
    const { vault, token, alice, bob, unit } = system;
    const { value, deadline, v, r, s } = await sign(system);
    const { interface: abi } = vault;
    const before = await token.balanceOf(bob.address);
    await vault
      .connect(bob)
      .multicall([
        abi.encodeFunctionData("permit", [alice.address, bob.address, value, deadline, v, r, s]),
        abi.encodeFunctionData("redeem(uint256,address,address)", [ALLOWED, bob.address, alice.address]),
      ]);
    expect((await token.balanceOf(bob.address)) - before).to.equal(400n * unit);
    expect(await vault.allowance(alice.address, bob.address)).to.equal(0n);
  });

  it("goes together with the asset's permit and a deposit, in one transaction", async () => {
    const system = await loadFixture(held);
    const { vault, token, alice, bob, unit } = system;
    await token.connect(alice).approve(vault, 0n);
    const ofAsset = ethers.Signature.from(
      await alice.signTypedData(
        { name: "Plain", version: "1", chainId: 31337n, verifyingContract: await token.getAddress() },
        PERMIT_TYPES,
        { owner: alice.address, spender: await vault.getAddress(), value: 7n * unit, nonce: 0n, deadline: MAX },
      ),
    );
    const ofShares = await sign(system, { value: HELD + 7n * WAD });
    const { interface: abi } = vault;
    await vault
      .connect(alice)
      .multicall([
        abi.encodeFunctionData("permitAsset", [7n * unit, MAX, ofAsset.v, ofAsset.r, ofAsset.s]),
        abi.encodeFunctionData("deposit(uint256,address)", [7n * unit, alice.address]),
        abi.encodeFunctionData("permit", [
          alice.address,
          bob.address,
          ofShares.value,
          ofShares.deadline,
          ofShares.v,
          ofShares.r,
          ofShares.s,
        ]),
      ]);
    await vault.connect(bob).transferFrom(alice.address, bob.address, HELD + 7n * WAD);
    expect(await vault.balanceOf(bob.address)).to.equal(HELD + 7n * WAD);
  });

  it("works once: the same signature again is another nonce's and refused", async () => {
    const system = await loadFixture(held);
    const { vault, alice, bob } = system;
    const signed = await sign(system);
    await permit(system, signed);
    await vault.connect(bob).transferFrom(alice.address, bob.address, ALLOWED);
    await expect(permit(system, signed)).to.be.revertedWithCustomError(vault, "ERC2612InvalidSigner");
    expect(await vault.allowance(alice.address, bob.address)).to.equal(0n);
    // The next nonce's is taken.
    await permit(system, await sign(system, { nonce: 1n, value: 5n }));
    expect(await vault.allowance(alice.address, bob.address)).to.equal(5n);
  });

  it("holds at its deadline and not a second later", async () => {
    const system = await loadFixture(held);
    const { vault, alice, bob } = system;
    const deadline = BigInt(await time.latest()) + 100n;
    const signed = await sign(system, { deadline });
    const before = await takeSnapshot();
    await time.setNextBlockTimestamp(deadline + 1n);
    await expect(permit(system, signed))
      .to.be.revertedWithCustomError(vault, "ERC2612ExpiredSignature")
      .withArgs(deadline);
    await before.restore();
    await time.setNextBlockTimestamp(deadline);
    await permit(system, signed);
    expect(await vault.allowance(alice.address, bob.address)).to.equal(ALLOWED);
  });

  it("is refused when somebody else signed it", async () => {
    const system = await loadFixture(held);
    const { vault, alice, bob } = system;
    const signed = await sign(system, { signer: bob });
    await expect(permit(system, signed))
      .to.be.revertedWithCustomError(vault, "ERC2612InvalidSigner")
      .withArgs(bob.address, alice.address);
    await refuses(system, signed, "ERC2612InvalidSigner");
  });

  for (const [what, terms] of [
    ["another chain's", { chainId: 1n }],
    ["another name's", { name: "Tiller" }],
    ["a later nonce's", { nonce: 1n }],
  ] as const) {
    it(`is refused when it is ${what}`, async () => {
      const system = await loadFixture(held);
      await refuses(system, await sign(system, terms), "ERC2612InvalidSigner");
    });
  }

  it("is refused when it is another vault's of the same name", async () => {
    const other = await deploySystem({ venues: 0 });
    const system = await deploySystem({ venues: 1 });
    const verifyingContract = await other.vault.getAddress();
    const signed = await sign(system, { verifyingContract });
    await refuses(system, signed, "ERC2612InvalidSigner");
    // There it is good.
    await permit(other, signed);
    expect(await other.vault.allowance(other.alice.address, other.bob.address)).to.equal(ALLOWED);
  });

  it("is refused when amount, spender or deadline is not what was signed", async () => {
    const system = await loadFixture(held);
    const { vault, alice, stranger } = system;
    const signed = await sign(system);
    await refuses(system, { ...signed, value: signed.value + 1n }, "ERC2612InvalidSigner");
    await refuses(system, { ...signed, deadline: signed.deadline + 1n }, "ERC2612InvalidSigner");
    const { value, deadline, v, r, s } = signed;
    await expect(
      vault.connect(stranger).permit(alice.address, stranger.address, value, deadline, v, r, s),
    ).to.be.revertedWithCustomError(vault, "ERC2612InvalidSigner");
  });

  it("is refused in the other form of the same signature, of which anybody can make it", async () => {
    const system = await loadFixture(held);
    const signed = await sign(system);
    // secp256k1's order less s, and the other parity (EIP-2): the same key's signature of the same message.
    const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
    const twin = { ...signed, v: signed.v === 27 ? 28 : 27, s: ethers.toBeHex(order - BigInt(signed.s), 32) };
    await refuses(system, twin, "ECDSAInvalidSignatureS");
  });
});
