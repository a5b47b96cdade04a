// A chain whose single requests are tried again where none answered: for work that takes so many that one fails for sure.
import { setTimeout as sleep } from "node:timers/promises";
import { WorldFailure } from "../config/failure";
import type { Chain } from "./connect";
import { RPC_UNREACHABLE } from "./failures";

const TRIES = 4;
const FIRST_PAUSE_MS = 50;

/** The same chain; `close` is the first one's. A request fails when it failed four times within half a second. */
export function steadfast(chain: Chain): Chain {
  return {
    ...chain,
    request: (method, params) => again(() => chain.request(method, params)),
    call: (transaction, block) => again(() => chain.call(transaction, block)),
  };
}

async function again<T>(ask: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await ask();
    } catch (error) {
      const unanswered = error instanceof WorldFailure && error.code === RPC_UNREACHABLE;
      if (!unanswered || tries === TRIES) throw error;
      await sleep(FIRST_PAUSE_MS * 2 ** (tries - 1));
    }
  }
}
