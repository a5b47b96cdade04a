// The breaker's conditions. They take a vault as argument and may serve several; that of a venue is built for its adapter.
import {
  AaveV3Illiquid__factory,
  CompoundV3Illiquid__factory,
  OracleTrouble__factory,
  SharePriceFall__factory,
  VenueReverting__factory,
} from "../../typechain-types";
import { artifactOf, type Artifact } from "../artifacts";
import type { ConditionParameters } from "../networks/network";
import type { Creation } from "./creation";

const CONTRACTS: Readonly<Record<ConditionParameters["kind"], string>> = {
  "share-price-fall": "SharePriceFall",
  "oracle-trouble": "OracleTrouble",
  "aave-v3-illiquid": "AaveV3Illiquid",
  "compound-v3-illiquid": "CompoundV3Illiquid",
  "venue-reverting": "VenueReverting",
};

export function conditionArtifact(kind: ConditionParameters["kind"]): Artifact {
  const contract = CONTRACTS[kind];
  return artifactOf(`contracts/breaker/${contract}.sol:${contract}`);
}

/** @param adapterOf address of the adapter of a venue, by the venue's id. */
export function condition(parameters: ConditionParameters, adapterOf: (venue: string) => string): Creation {
  return {
    id: `condition:${parameters.id}`,
    artifact: conditionArtifact(parameters.kind),
    arguments: encode(parameters, adapterOf),
  };
}

function encode(parameters: ConditionParameters, adapterOf: (venue: string) => string): string {
  switch (parameters.kind) {
    case "share-price-fall":
      return SharePriceFall__factory.createInterface().encodeDeploy([parameters.bound]);
    case "oracle-trouble": {
      const { feed, heartbeatSeconds, lower, upper } = parameters;
      return OracleTrouble__factory.createInterface().encodeDeploy([feed, heartbeatSeconds, lower, upper]);
    }
    case "aave-v3-illiquid":
    case "compound-v3-illiquid": {
      const { venue, leastRate, share } = parameters;
      const factory = parameters.kind === "aave-v3-illiquid" ? AaveV3Illiquid__factory : CompoundV3Illiquid__factory;
      return factory.createInterface().encodeDeploy([adapterOf(venue), leastRate, share]);
    }
    case "venue-reverting":
      return VenueReverting__factory.createInterface().encodeDeploy([]);
  }
}
