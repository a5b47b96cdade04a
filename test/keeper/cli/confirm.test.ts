import { expect } from "chai";
import { PassThrough } from "node:stream";
import { confirm } from "../../../keeper/cli/confirm";
import { InputFailure } from "../../../keeper/config/failure";

describe("asking before what cannot be taken back", () => {
  const stdin = Object.getOwnPropertyDescriptor(process, "stdin");
  const stderr = Object.getOwnPropertyDescriptor(process, "stderr");
  afterEach(() => {
    if (stdin !== undefined) Object.defineProperty(process, "stdin", stdin);
    if (stderr !== undefined) Object.defineProperty(process, "stderr", stderr);
  });

  /** A terminal at which somebody types `typed`; what it showed. */
  async function asked(
    typed: string,
    options: { readonly terminal: boolean; readonly yes?: boolean },
  ): Promise<string> {
    const [input, output] = [new PassThrough(), new PassThrough()];
    Object.defineProperty(process, "stdin", {
      configurable: true,
      value: Object.assign(input, { isTTY: options.terminal }),
    });
    Object.defineProperty(process, "stderr", { configurable: true, value: output });
    const done = confirm({ what: "All goes to idle.", word: "close-all", yes: options.yes === true });
    input.write(`${typed}\n`);
    await done;
    return String(output.read() ?? "");
  }
  async function codeOf(work: Promise<unknown>): Promise<string> {
    try {
      await work;
    } catch (error) {
      if (error instanceof InputFailure) return error.code;
      throw error;
    }
    return "confirmed";
  }

  it("goes on only for the word, and shows what it is about and which word", async () => {
    const shown = await asked("close-all", { terminal: true });
    expect(shown).to.contain("All goes to idle.").and.to.contain("close-all");
    for (const typed of ["", "y", "yes", "close"]) {
      expect(await codeOf(asked(typed, { terminal: true })), typed).to.equal("NOT_CONFIRMED");
    }
  });

  it("asks nobody where there is no terminal, and takes that for a no; --yes is a yes", async () => {
    expect(await codeOf(asked("close-all", { terminal: false }))).to.equal("CONFIRMATION_MISSING");
    expect(await codeOf(asked("", { terminal: false, yes: true }))).to.equal("confirmed");
  });
});
