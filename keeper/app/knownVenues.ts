// Settings that name a venue are checked against the deployment, which alone knows the venues.
import type { AddressFile } from "../config/addressFile";
import { InputFailure } from "../config/failure";
import type { Config } from "../config/load";

/** A cap for a venue that does not exist is a typing error that would leave the real venue without one. */
export function unknownVenues(config: Config, addresses: AddressFile): void {
  const known = addresses.adapters.map((adapter) => adapter.id);
  for (const [setting, named] of [
    ["limits.venueCaps", config.limits.venueCaps],
    ["risk.protocols", config.risk.protocols],
  ] as const) {
    const unknown = Object.keys(named).find((id) => !known.includes(id));
    if (unknown === undefined) continue;
    throw new InputFailure("VENUE_UNKNOWN", `there is no venue ${unknown} in this deployment`, {
      field: `${setting}.${unknown}`,
      remedy: `Known venues: ${known.join(", ")}.`,
    });
  }
}
