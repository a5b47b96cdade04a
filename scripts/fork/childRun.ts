// A command run as a child with a fork's upstream in its environment, and what can be said of its end: not only the
// exit status, which is 0 for a `hardhat run` whose fork died under it.
import { spawn } from "node:child_process";
import { InputFailure } from "../../keeper/config/failure";
import { UPSTREAM_VARIABLE } from "./upstreamNode";

export interface ChildUpstream {
  readonly url: string;
  readonly chainId: number;
  readonly block: number;
}

export interface ChildRunOptions {
  /** Where the child's standard output is shown. */
  readonly output: NodeJS.WritableStream;
  /** Ends the child: first asks, then kills. */
  readonly signal: AbortSignal;
}

export interface ChildEnd {
  /** Null if a signal ended it. */
  readonly code: number | null;
  /** The last line of its standard output that is not empty. */
  readonly lastLine: string;
}

const KILL_AFTER_MS = 5_000;

/**
 * Runs `command` with the upstream as TILLER_FORK_URL, _CHAIN_ID and _BLOCK, and as the node of programs that look for
 * one: the address of a real node stays in this process.
 * @throws InputFailure if the command cannot be started.
 */
export function runChild(
  [file = "", ...args]: readonly string[],
  upstream: ChildUpstream,
  { output, signal }: ChildRunOptions,
): Promise<ChildEnd> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      stdio: ["ignore", "pipe", "inherit"],
      env: {
        ...process.env,
        [UPSTREAM_VARIABLE]: upstream.url,
        TILLER_FORK_URL: upstream.url,
        TILLER_FORK_CHAIN_ID: String(upstream.chainId),
        TILLER_FORK_BLOCK: String(upstream.block),
      },
    });
    let tail = "";
    child.stdout.on("data", (chunk: Buffer) => {
      output.write(chunk);
      tail = (tail + chunk.toString("utf8")).slice(-10_000);
    });
    let killer: NodeJS.Timeout | undefined;
    const end = (): void => {
      child.kill("SIGTERM");
      killer = setTimeout(() => child.kill("SIGKILL"), KILL_AFTER_MS);
    };
    if (signal.aborted) end();
    else signal.addEventListener("abort", end, { once: true });
    child.once("error", (cause) =>
      reject(
        new InputFailure("FORK_COMMAND", `${file} cannot be started`, {
          field: "COMMAND",
          remedy: "Give a command that exists, after --.",
          cause,
        }),
      ),
    );
    child.once("close", (code) => {
      clearTimeout(killer);
      signal.removeEventListener("abort", end);
      const lastLine = tail.trimEnd().split("\n").at(-1) ?? "";
      resolve({ code, lastLine });
    });
  });
}
