"""The laws of the vault's share arithmetic, for all whole numbers there are, by z3; a part of `npm run prove`.

ShareArithmeticProof.sol proves of the vault's code that each conversion is x·y/d rounded down or up, with t total
assets and the virtual unit, s supply and the virtual shares, and what a call leaves of both. Here is what follows. As
bit vectors these questions end in no reasonable time, not even at a width of 8; as whole numbers they take parts of a
second, and they are the same: the contract's products have 512 bits, and a result that does not fit reverts.

Each law is asked twice: as the vault rounds, where there must be no counterexample, and with other roundings, where
there must be one.
"""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import z3

DOWN, UP = "down", "up"
TIMEOUT_MS = 60_000


class World:
    """A vault's totals, and numbers that are what dividing gives."""

    def __init__(self, roundings: tuple[str, ...]):
        self.solver = z3.Solver()
        self.solver.set("timeout", TIMEOUT_MS)
        self.roundings = list(roundings)
        self.t = self.number("t", 1)
        self.s = self.number("s", 1)

    def number(self, name: str, least: int = 0) -> z3.ArithRef:
        number = z3.Int(name)
        self.solver.add(number >= least)
        return number

    def divided(self, x: z3.ArithRef, y: z3.ArithRef, d: z3.ArithRef) -> z3.ArithRef:
        """x·y/d, rounded as the law says next."""
        q = self.number(f"q{len(self.roundings)}")
        exact = x * y
        if self.roundings.pop(0) == DOWN:
            self.solver.add(q * d <= exact, exact < (q + 1) * d)
        else:
            self.solver.add((q - 1) * d < exact, exact <= q * d)
        return q

    # What each call gives or takes for its amount. They change the totals.

    def deposit(self, assets: z3.ArithRef) -> z3.ArithRef:
        shares = self.divided(assets, self.s, self.t)
        self.t, self.s = self.t + assets, self.s + shares
        return shares

    def mint(self, shares: z3.ArithRef) -> z3.ArithRef:
        assets = self.divided(shares, self.t, self.s)
        self.t, self.s = self.t + assets, self.s + shares
        return assets

    def withdraw(self, assets: z3.ArithRef) -> z3.ArithRef:
        shares = self.divided(assets, self.s, self.t)
        return self.leave(assets, shares, shares)

    def redeem(self, shares: z3.ArithRef) -> z3.ArithRef:
        assets = self.divided(shares, self.t, self.s)
        return self.leave(assets, shares, assets)

    def leave(self, assets: z3.ArithRef, shares: z3.ArithRef, answer: z3.ArithRef) -> z3.ArithRef:
        self.t, self.s = self.t - assets, self.s - shares
        # The virtual unit and the virtual shares are nobody's.
        self.solver.add(self.t >= 1, self.s >= 1)
        return answer


@dataclass(frozen=True)
class Law:
    name: str
    claim: Callable[[World], z3.BoolRef]
    roundings: tuple[str, ...]
    """As the vault rounds, in the order of the divisions."""
    broken: tuple[str, ...]
    """Roundings with which the law does not hold."""


def round_trip(first: str, second: str, bound: str) -> Callable[[World], z3.BoolRef]:
    """What the second call answers, beside a number of the first's. `given`: the second is told what the first
    answered, and the bound is what the first was told. `got`: both are told the same, and the bound is what the first
    answered."""

    def claim(world: World) -> z3.BoolRef:
        given = world.number("given")
        got = getattr(world, first)(given)
        back = getattr(world, second)(got if bound.endswith("given") else given)
        limit = given if bound.endswith("given") else got
        return back <= limit if bound.startswith("at most") else back >= limit

    return claim


def price_stays(call: str) -> Callable[[World], z3.BoolRef]:
    def claim(world: World) -> z3.BoolRef:
        t, s = world.t, world.s
        getattr(world, call)(world.number("amount"))
        return world.t * s >= t * world.s

    return claim


def monotone(world: World) -> z3.BoolRef:
    less, more = world.number("less"), world.number("more")
    world.solver.add(less <= more)
    return world.divided(less, world.s, world.t) <= world.divided(more, world.s, world.t)


def by_one(world: World) -> z3.BoolRef:
    amount = world.number("amount")
    low, high = world.divided(amount, world.s, world.t), world.divided(amount, world.s, world.t)
    return z3.And(low <= high, high <= low + 1)


def parts(world: World) -> z3.BoolRef:
    a, b = world.number("a"), world.number("b")
    t, s = world.t, world.s
    return world.divided(a, s, t) + world.divided(b, s, t) <= world.divided(a + b, s, t)


def all_shares(world: World) -> z3.BoolRef:
    """`t` less the virtual unit is what the vault counts."""
    shares = world.number("shares")
    world.solver.add(shares <= world.s - 1)
    return world.divided(shares, world.t, world.s) <= world.t - 1


def room(world: World) -> z3.BoolRef:
    left, shares = world.number("left"), world.number("shares")
    most = world.divided(left, world.s, world.t)
    world.solver.add(shares <= most)
    return world.divided(shares, world.t, world.s) <= left


LAWS = [
    Law(
        "redeem pays at most what the deposit put in",
        round_trip("deposit", "redeem", "at most given"),
        (DOWN, DOWN),
        (UP, DOWN),
    ),
    Law(
        "withdraw burns at least what the deposit minted",
        round_trip("deposit", "withdraw", "at least got"),
        (DOWN, UP),
        (UP, DOWN),
    ),
    Law(
        "deposit mints at most what the redeem burned",
        round_trip("redeem", "deposit", "at most given"),
        (DOWN, DOWN),
        (UP, DOWN),
    ),
    Law(
        "mint costs at least what the redeem paid",
        round_trip("redeem", "mint", "at least got"),
        (DOWN, UP),
        (UP, DOWN),
    ),
    Law(
        "withdraw burns at least what the mint gave",
        round_trip("mint", "withdraw", "at least given"),
        (UP, UP),
        (DOWN, UP),
    ),
    Law("redeem pays at most what the mint cost", round_trip("mint", "redeem", "at most got"), (UP, DOWN), (DOWN, UP)),
    Law(
        "mint costs at least what the withdraw paid",
        round_trip("withdraw", "mint", "at least given"),
        (UP, UP),
        (DOWN, UP),
    ),
    Law(
        "deposit mints at most what the withdraw burned",
        round_trip("withdraw", "deposit", "at most got"),
        (UP, DOWN),
        (DOWN, UP),
    ),
    Law("deposit lowers nobody's price", price_stays("deposit"), (DOWN,), (UP,)),
    Law("mint lowers nobody's price", price_stays("mint"), (UP,), (DOWN,)),
    Law("withdraw lowers nobody's price", price_stays("withdraw"), (UP,), (DOWN,)),
    Law("redeem lowers nobody's price", price_stays("redeem"), (DOWN,), (UP,)),
    Law("more gives no less (rounded down)", monotone, (DOWN, DOWN), (UP, DOWN)),
    Law("more gives no less (rounded up)", monotone, (UP, UP), (UP, DOWN)),
    Law("previewMint, previewWithdraw are the other way's conversion or one more", by_one, (DOWN, UP), (UP, DOWN)),
    Law("parts are worth no more than the whole", parts, (DOWN, DOWN, DOWN), (DOWN, UP, DOWN)),
    Law("all shares redeem for no more than the vault counts", all_shares, (DOWN,), (UP,)),
    Law("what maxMint lets be minted costs no more than there is room for", room, (DOWN, UP), (UP, UP)),
]


def ask(law: Law, roundings: tuple[str, ...]) -> z3.CheckSatResult:
    world = World(roundings)
    claim = law.claim(world)
    world.solver.add(z3.Not(claim))
    return world.solver.check()


def main() -> int:
    failed = 0
    for law in LAWS:
        began = time.monotonic()
        holds, breaks = ask(law, law.roundings), ask(law, law.broken)
        proven = holds == z3.unsat and breaks == z3.sat
        failed += not proven
        said = "proven" if proven else f"NOT PROVEN: asked {holds}, asked broken {breaks}"
        print(f"{said}  {law.name} ({time.monotonic() - began:.2f} s)", flush=True)
    print(f"{len(LAWS) - failed} laws proven for all numbers, {failed} not")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
