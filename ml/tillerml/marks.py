"""Which of the project's marks a model reached, with the numbers, for its card: what was missed is said with the model.

Marks of intervals are not among them: intervals are made, and scored by `tiller forecast evaluate`, where the model
is served. `reached` is None where the scores do not tell.
"""

from __future__ import annotations

import math

#: Pooled MAE over that of a baseline, by horizon in hours: at most so much.
MOST_RATIOS = ((24, "persistence", 0.82), (24, "ewma", 0.85), (168, "persistence", 0.72))
#: Where these are served at all, they may in no fold be worse than persistence.
SHORT_HOURS = (1, 4)
#: Diebold and Mariano's t of a week's forecast against the EWMA: below so much, on each of these series.
MOST_T = -2.0
T_SERIES = ("aave-v3-usdc", "aave-v3-usdt")
#: PR-AUC and Brier skill of an event, over all rows that are asked: above so much.
LEAST_RISK = {"apr-collapse-7d": (0.37, 0.23), "exit-illiquidity-7d": (0.234, 0.125)}
#: Events whose marks are reached by serving the one-column table instead, named so.
OR_TABLE = frozenset({"exit-illiquidity-7d"})


def of_rates(scored: dict) -> dict:
    """Marks of a rate model by what past folds say (`report.past_scores`): folds that they are over, and each mark."""
    over = list(dict.fromkeys(one["fold"] for one in scored["scores"]))
    found = []
    for hours, base, most in MOST_RATIOS:
        rows = [one for one in scored["scores"] if one["horizonHours"] == hours]
        mine, its = (sum(one["rows"] * one[key] for one in rows) for key in ("mae", base))
        ratio = mine / its if its > 0 else math.nan
        found.append(_mark(f"{hours} h: MAE over that of {base}", ratio, most=most))
    for hours in SHORT_HOURS:
        ratios = [one["mae"] / one["persistence"] for one in scored["scores"] if one["horizonHours"] == hours]
        if hours in scored["servedHorizonsHours"]:
            worst = max(ratios, default=math.nan)
            found.append(_mark(f"{hours} h, served: MAE over persistence's in its worst fold", worst, most=1.0))
    tests = {one["series"]: one["ewma"]["t"] for one in scored.get("tests", []) if one["horizonHours"] == 168}
    for series in T_SERIES:
        t = tests.get(series, math.nan)
        found.append(_mark(f"168 h, {series}: Diebold and Mariano's t against the EWMA", t, most=MOST_T))
    return {"over": over, "marks": found}


def of_event(name: str, scored: dict, *, model: str, table: bool) -> list[dict]:
    """Marks of an event by the scores of the model that serves it; `table`: it is the one-column table."""
    if name not in LEAST_RISK:
        return []
    or_table = name in OR_TABLE
    found = []
    for what, key, least in zip(("PR-AUC", "Brier skill"), ("prAuc", "brierSkill"), LEAST_RISK[name], strict=True):
        one = _mark(what + (", or the table is served" if or_table else ""), scored["models"][model][key], least=least)
        found.append({**one, "reached": True} if or_table and table else one)
    return found


def _mark(what: str, found: float | None, *, most: float | None = None, least: float | None = None) -> dict:
    side = {"atMost": most} if most is not None else {"above": least}
    if found is None or math.isnan(found):
        return {"mark": what, **side, "found": None, "reached": None}
    return {"mark": what, **side, "found": found, "reached": found <= most if most is not None else found > least}
