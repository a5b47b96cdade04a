// What the timelock chose of an adapter in a pool, as the adapter itself says.
import type { Provider } from "ethers";
import { Curve3PoolAdapter__factory, UniswapV3Adapter__factory } from "../typechain-types";
import type { ThreePoolTerms, UniswapTerms } from "./networks/network";

export async function threePoolTermsOf(provider: Provider, adapter: string): Promise<ThreePoolTerms> {
  const pool = Curve3PoolAdapter__factory.connect(adapter, provider);
  const [slippage, steadiness] = await Promise.all([pool.slippage(), pool.steadiness()]);
  const [first, second, third] = await Promise.all([pool.heartbeat(0), pool.heartbeat(1), pool.heartbeat(2)]);
  return { slippage, steadiness, heartbeatSeconds: [Number(first), Number(second), Number(third)] };
}

/** `leastObservations` is not kept: the adapter asked for it at its birth, and their number never falls. */
export async function uniswapTermsOf(provider: Provider, adapter: string): Promise<UniswapTerms> {
  const pool = UniswapV3Adapter__factory.connect(adapter, provider);
  const [slippage, halfWidth, window] = await Promise.all([pool.slippage(), pool.halfWidth(), pool.window()]);
  const [spotBound, oracleBound] = await Promise.all([pool.spotBound(), pool.oracleBound()]);
  const [asset, paired] = await Promise.all([pool.assetHeartbeat(), pool.pairedHeartbeat()]);
  return {
    ...{ slippage, halfWidth: Number(halfWidth), windowSeconds: Number(window), leastObservations: 0 },
    ...{ spotBound: Number(spotBound), oracleBound: Number(oracleBound) },
    heartbeatSeconds: [Number(asset), Number(paired)],
  };
}
