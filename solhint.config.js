// What solhint asks of contracts/, beside the compiler, prettier and Slither. `npm run lint` fails on its warnings too. Each rule
// that differs from the recommended set stands here with its reason.
module.exports = {
  extends: "solhint:recommended",
  rules: {
    // One compiler, exactly: what was audited and measured is what is deployed.
    "compiler-version": ["error", "0.8.28"],
    // Constructors have no visibility since 0.7.
    "func-visibility": ["error", { ignoreConstructors: true }],
    // A call that bypasses the interface is made in one place only, in assembly: `BoundedRead`, `TrustedRead`.
    "avoid-low-level-calls": "error",
    "gas-custom-errors": "error",
    "no-global-import": "error",

    // Off: it asks for an author, and for a @notice of each constructor and private function, but takes @dev and @inheritdoc for
    // nothing where they are enough. What it would find of public functions is documented.
    "use-natspec": "off",
    // Off: bounded reads, packed storage and the plan's hash are assembly, each "memory-safe". Slither lists each use, and
    // `slitherWaivers.ts` says why it is there.
    "no-inline-assembly": "off",
    // Off: accruals, budgets, trips and stale prices are about time. Slither lists each comparison, waived one by one.
    "not-rely-on-time": "off",
    // Off: all that it finds is `try … {} catch {}`, where nothing is to be done, and a function that only shapes an ABI.
    "no-empty-blocks": "off",
    // Off: a public immutable is a getter of an interface, and is named as one; private ones are in capitals.
    "immutable-vars-naming": "off",
    // Off: fields are indexed by what is searched for, and three are the most. An amount is not searched for.
    "gas-indexed-events": "off",
    // Off: `<=` says what is meant; the optimizer makes both of it.
    "gas-strict-inequalities": "off",
    // Off: what it finds are structs that only leave by the ABI, in the order in which they are read, where nothing is packed.
    "gas-struct-packing": "off",
    // Off: the only one is the first configuration, which a constructor has in memory.
    "gas-calldata-parameters": "off",
  },
};
