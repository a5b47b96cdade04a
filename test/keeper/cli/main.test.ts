import { expect } from "chai";
import { tmpdir } from "node:os";
import { type Ended, startTiller } from "./tillerProcess";

const tiller = (...args: string[]): Promise<Ended> => startTiller(tmpdir(), args).ended;

describe("tiller", function () {
  this.timeout(120_000);

  it("lists its commands, of which each, loaded by itself, says what it is for in the same words", async () => {
    const listed = await tiller("--help");
    expect(listed.code).to.equal(0);
    const [, after = ""] = listed.out.split("Commands:\n");
    const commands = after.split(/\n(?= {2}\S)/).map((entry) => entry.trim().replace(/\s+/g, " ").split(" "));
    const names = commands.map(([name]) => name as string).filter((name) => name !== "help");
    expect(names).to.include.members(["run", "status", "data", "models"]).and.have.length(15);
    for (const name of names) {
      const { code, out } = await tiller(name, "--help");
      expect(code, name).to.equal(0);
      const usage = out.replace(/\s+/g, " ");
      expect(usage).to.match(new RegExp(`^Usage: tiller ${name} `));
      const words = commands.find(([first]) => first === name)?.join(" ") ?? "";
      const description = words.replace(/^\S+ (?:\[options\] )?(?:[<[]\S+[>\]] )*/, "");
      expect(usage).to.include(description);
    }
  });

  it("without a command shows the help, and refuses an unknown one in a line", async () => {
    const nothing = await tiller();
    expect([nothing.code, nothing.err.includes("Usage: tiller [options] [command]")]).to.deep.equal([2, true]);
    for (const name of ["nope", "constructor", "./run", "printing"]) {
      const unknown = await tiller(name);
      expect(unknown.code).to.equal(2);
      expect(unknown.err).to.match(
        new RegExp(`^tiller: command line: unknown command '${name}'.* \\(USAGE\\)\\. .*\\n$`, "s"),
      );
    }
  });
});
