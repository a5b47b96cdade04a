// A tape behind a JSON-RPC port, with its report kept up to date.
import { InputFailure } from "../../keeper/config/failure";
import { ReplayedState } from "./replayedState";
import { startRpcServer } from "./rpcServer";
import { loadTape, writeAtomically } from "./tape";
import { TapeTally, type Miss, type TapeReport } from "./tapeReport";

export interface ServeTapeOptions {
  /** Path of a `tiller-tape/1` file, plain or gzipped. */
  readonly file: string;
  /** 0 or absent: any free port. A port that is always another one also keeps Hardhat's per-host caches apart. */
  readonly port?: number;
  /** Where to keep the report on disk. It is there from the start, and holds each miss before the asker hears of it. */
  readonly reportFile?: string;
  /** Called once for each different miss. */
  readonly onMiss?: (miss: Pick<Miss, "method" | "message">) => void;
}

export interface TapeServer {
  readonly url: string;
  readonly chainId: number;
  readonly block: number;
  report(): TapeReport;
  /** Stops serving; the last report says `closed`. */
  close(): Promise<TapeReport>;
}

/** Zeros and counts may reach the file on disk this much later; misses never do. */
const REPORT_DELAY_MS = 200;

/**
 * Serves a tape on 127.0.0.1.
 * @throws InputFailure if the file is not a sound tape, the report cannot be written, or the port is taken.
 */
export async function serveTape(options: ServeTapeOptions): Promise<TapeServer> {
  const { tape, sha256, headerVerified } = loadTape(options.file);
  const block = Number(tape.block.number);
  const tally = new TapeTally({
    tape: { sha256, chainId: tape.chainId, block, hash: tape.block.hash },
    headerVerified,
  });
  const disk = options.reportFile === undefined ? undefined : new ReportFile(options.reportFile, tally);
  const server = await startRpcServer({
    state: new ReplayedState(tape, tally),
    port: options.port ?? 0,
    onRequest: () => {
      tally.request();
      disk?.soon();
    },
    onRefusal: (method, refusal) => {
      const first = tally.miss(method, refusal);
      disk?.now();
      if (first) options.onMiss?.({ method, message: refusal.message });
    },
    report: () => tally.report(),
  });
  return {
    url: server.url,
    chainId: tape.chainId,
    block,
    report: () => tally.report(),
    close: async () => {
      await server.close();
      tally.close();
      disk?.now();
      return tally.report();
    },
  };
}

class ReportFile {
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly file: string,
    private readonly tally: TapeTally,
  ) {
    try {
      this.now();
    } catch (cause) {
      throw new InputFailure("REPORT_UNWRITABLE", `${file} cannot be written`, {
        field: "--report",
        remedy: "Give a path in a folder that exists and that you may write to.",
        cause,
      });
    }
  }

  soon(): void {
    this.timer ??= setTimeout(() => this.now(), REPORT_DELAY_MS);
  }

  now(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    writeAtomically(this.file, `${JSON.stringify(this.tally.report(), null, 2)}\n`);
  }
}
