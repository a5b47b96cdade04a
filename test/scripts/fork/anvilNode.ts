// A throw-away anvil: a real node to record from.
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { ask } from "./sampleTape";

export interface AnvilNode {
  readonly url: string;
  send(method: string, ...params: unknown[]): Promise<unknown>;
  stop(): Promise<void>;
}

export async function startAnvil(): Promise<AnvilNode> {
  const fromWrapper = createRequire(require.resolve("@foundry-rs/anvil/package.json"));
  const arch = process.arch === "x64" ? "amd64" : process.arch;
  const binary = fromWrapper.resolve(`@foundry-rs/anvil-${process.platform}-${arch}/bin/anvil`);
  const child = spawn(binary, ["--host", "127.0.0.1", "--port", "0", "--no-cors"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const url = await new Promise<string>((resolve, reject) => {
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString("utf8");
      const listening = /Listening on (127\.0\.0\.1:\d+)/.exec(output);
      if (listening) resolve(`http://${listening[1]}`);
    });
    child.once("error", reject);
    void ended.then(() => reject(new Error(`anvil did not start: ${output}`)));
  });
  return {
    url,
    send: async (method, ...params) => {
      const { result, error } = await ask(url, method, params);
      if (error) throw new Error(`${method}: ${error.message}`);
      return result;
    },
    stop: async () => {
      child.kill("SIGKILL");
      await ended;
    },
  };
}
