// The local relay as a part: a server that takes bundles and a block maker that is the only one to make blocks.
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { InputFailure, WorldFailure } from "../../keeper/config/failure";
import { BlockMaker, type ProducedBlock } from "./blockMaker";
import { BundleBook } from "./bundles";
import { DevNode } from "./devNode";
import { type FaultsInput, NO_FAULTS, faultsSchema } from "./faults";
import { relayServer } from "./server";

export type { ProducedBlock } from "./blockMaker";
export type { Faults, FaultsInput } from "./faults";

export interface RelayOptions {
  /** JSON-RPC address of the development node: anvil with `--order fifo`, or Hardhat with a fifo pool. */
  readonly nodeUrl: string;
  /** 0: any free one. */
  readonly port: number;
  /** Wall milliseconds from one block to the next; 0: blocks only by {@link Relay.produceBlock}. */
  readonly blockMs: number;
  /** Chain seconds from one block to the next. */
  readonly secondsPerBlock: number;
  readonly host?: string;
  readonly onBlock?: (block: ProducedBlock) => void;
  /** A block could not be made; the next one is tried on time. */
  readonly onTrouble?: (failure: unknown) => void;
}

export interface Relay {
  readonly url: string;
  /** Makes no more blocks, finishes the one in the making, closes the port. */
  stop(): Promise<void>;
  produceBlock(): Promise<ProducedBlock>;
  /** Replaces all faults; what is not named is normal. `{}`: behave. */
  misbehave(faults: FaultsInput): void;
  /** Stops the timer; bundles are still taken. */
  pause(): void;
  resume(): void;
}

/**
 * @throws InputFailure for a nonsensical option
 * @throws WorldFailure `NODE_DOWN`, `RELAY_NODE_UNKNOWN`, `RELAY_PORT_TAKEN`
 */
export async function startRelay(options: RelayOptions): Promise<Relay> {
  checkOptions(options);
  const node = await DevNode.connect(options.nodeUrl);
  const book = new BundleBook();
  const faults = { current: NO_FAULTS };
  const maker = new BlockMaker(node, book, {
    secondsPerBlock: options.secondsPerBlock,
    faults: () => faults.current,
  });
  const server = relayServer({ node, book, faults });
  const host = options.host ?? "127.0.0.1";
  try {
    server.listen(options.port, host);
    await once(server, "listening");
  } catch (cause) {
    throw new WorldFailure("RELAY_PORT_TAKEN", `the relay cannot listen on port ${options.port}`, {
      field: "port",
      remedy: "Choose a free port, or 0 for any.",
      cause,
    });
  }

  let timer: NodeJS.Timeout | null = null;
  let stopped = false;
  const produceBlock = async (): Promise<ProducedBlock> => {
    const block = await maker.produce();
    options.onBlock?.(block);
    return block;
  };
  const tick = async (dueAt: number): Promise<void> => {
    const own = timer;
    await produceBlock().catch((failure: unknown) => options.onTrouble?.(failure));
    // A block that took longer than its slot does not make the next ones come in a burst.
    if (timer === own && own !== null) schedule(Math.max(dueAt + options.blockMs, Date.now()));
  };
  const schedule = (dueAt: number): void => {
    timer = setTimeout(() => void tick(dueAt), Math.max(0, dueAt - Date.now()));
  };
  const pause = (): void => {
    if (timer !== null) clearTimeout(timer);
    timer = null;
  };
  const resume = (): void => {
    if (timer === null && !stopped && options.blockMs > 0) schedule(Date.now() + options.blockMs);
  };
  resume();

  return {
    url: `http://${host}:${(server.address() as AddressInfo).port}`,
    produceBlock,
    pause,
    resume,
    misbehave(next) {
      faults.current = faultsSchema.parse(next);
    },
    async stop() {
      if (stopped) return;
      stopped = true;
      pause();
      await maker.idle();
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function checkOptions({ port, blockMs, secondsPerBlock }: RelayOptions): void {
  const integers: [string, number, number][] = [
    ["port", port, 0],
    ["blockMs", blockMs, 0],
    ["secondsPerBlock", secondsPerBlock, 1],
  ];
  for (const [field, value, least] of integers) {
    if (Number.isSafeInteger(value) && value >= least) continue;
    throw new InputFailure("RELAY_OPTION", `is ${value}`, { field, remedy: `Give an integer of at least ${least}.` });
  }
}
