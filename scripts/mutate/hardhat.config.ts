// The checkout's Hardhat, on the artifacts of a mutant: unoptimised code is larger than a chain allows.
import path from "node:path";
import type { HardhatUserConfig } from "hardhat/config";
import base from "../../hardhat.config";

const root = path.join(__dirname, "..", "..");

const config: HardhatUserConfig = {
  ...base,
  paths: { root, artifacts: process.env["TILLER_MUTANT_ARTIFACTS"] ?? path.join(root, "artifacts") },
  networks: {
    ...base.networks,
    hardhat: { ...base.networks?.hardhat, allowUnlimitedContractSize: true },
  },
};

export default config;
