// The checkout's Hardhat, on the artifacts of a mutant: unoptimised code is larger than a chain allows.
import path from "node:path";
import { ProviderWrapper } from "hardhat/plugins";
import { extendProvider } from "hardhat/config";
import type { EIP1193Provider, HardhatUserConfig, RequestArguments } from "hardhat/types";
import base from "../../hardhat.config";
import { errorsIn, withErrorName } from "../../scripts/mutate/errorNames";

const root = path.join(__dirname, "..", "..");
const artifacts = process.env["TILLER_MUTANT_ARTIFACTS"] ?? path.join(root, "artifacts");

class NamingProvider extends ProviderWrapper {
  private readonly errors = errorsIn(artifacts);

  constructor(inner: EIP1193Provider) {
    super(inner);
  }

  async request(args: RequestArguments): Promise<unknown> {
    try {
      return await this._wrappedProvider.request(args);
    } catch (error) {
      if (error instanceof Error) error.message = withErrorName(error.message, this.errors);
      throw error;
    }
  }
}

extendProvider((provider) => Promise.resolve(new NamingProvider(provider)));

const config: HardhatUserConfig = {
  ...base,
  paths: { root, artifacts },
  networks: {
    ...base.networks,
    hardhat: { ...base.networks?.hardhat, allowUnlimitedContractSize: true },
  },
};

export default config;
