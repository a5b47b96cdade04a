/** The example of the command's contract. */
export const EXAMPLE = {
  total: 1e6,
  horizonHours: 168,
  gasUsdPerMove: 5,
  minIdle: 0,
  groups: [{ ids: ["aave-usdc"], cap: 6e5 }],
  venues: [
    {
      id: "aave-usdc",
      current: 0,
      cap: 5e5,
      costBps: 0,
      expectedLossApr: 0,
      model: {
        kind: "aave",
        supplied: 1e9,
        borrowed: 9.1e8,
        base: 0,
        slope1: 0.06,
        slope2: 0.6,
        kink: 0.92,
        reserveFactor: 0.1,
      },
    },
    {
      id: "comet-usdc",
      model: {
        kind: "kinked-supply",
        supplied: 4e8,
        borrowed: 3.4e8,
        base: 0,
        slopeLow: 0.0325,
        slopeHigh: 0.4,
        kink: 0.85,
      },
    },
    { id: "savings", model: { kind: "fixed", apr: 0.045 } },
  ],
};
