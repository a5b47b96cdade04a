"""The tables of the README, from what `evaluate` wrote."""

from __future__ import annotations

import math
from pathlib import Path

from . import folds
from .riskfit import SCORED

BEGIN, END = "<!-- written by evaluate -->", "<!-- end -->"


def into(file: Path, result: dict) -> None:
    """Replaces what stands between the two marks of the README."""
    text = file.read_text()
    before, rest = text.split(BEGIN, 1)
    after = rest.split(END, 1)[1]
    file.write_text(f"{before}{BEGIN}\n\n{markdown(result)}\n{END}{after}")


def markdown(result: dict) -> str:
    """All tables, one after the other."""
    parts = (_points, _challengers, _tests, _unseen, _risk)
    return "\n".join(line for part in parts for line in part(result)) + "\n"


def _points(result: dict) -> list[str]:
    names = list(result["points"][0]["folds"])
    after = after_choosing(names)
    head = (
        f"Data `{result['dataHash'][:16]}`. MAE in percentage points a year, over all folds shown; in brackets 90 % by "
        f"{result['blocks']}. By fold: MAE ÷ that of the better of persistence and EWMA."
    )
    columns = ["horizon", "model", "MAE", "÷ persistence", "÷ EWMA", *names]
    if 0 < len(after) < len(names):
        chose = [name for name in names if name not in after]
        head += (
            f" All folds include {_and(chose)}, on which settings were chosen; the last two columns are over "
            f"{_and(after)} alone, which took part in no choice but that of the trust at 7 d (EXPERIMENTS.md)."
        )
        columns += [f"{'–'.join(dict.fromkeys((after[0], after[-1])))} ÷ {base}" for base in ("persistence", "EWMA")]
    lines = [head, "", f"| {' | '.join(columns)} |", "|" + "---|" * len(columns)]
    for one in result["points"]:
        low, high = one["overPersistence90"]
        cells = [
            *(_hours(one), one["model"], f"{one['maePp']:.3f}"),
            *(f"{one['overPersistence']:.3f} ({low:.2f}–{high:.2f})", f"{one['overEwma']:.3f}"),
            *(f"{one['folds'][name]:.3f}" for name in names),
        ]
        if 0 < len(after) < len(names):
            cells += [f"{ratio:.3f}" for ratio in over_folds(result, one, after)]
        lines.append(f"| {' | '.join(cells)} |")
    return [*lines, ""]


def after_choosing(names: list[str]) -> list[str]:
    """Those of the folds on which no setting was chosen."""
    chose = {fold.name for fold in folds.CHOOSING}
    return [name for name in names if name not in chose]


def over_folds(result: dict, one: dict, names: list[str]) -> tuple[float, float]:
    """MAE of an entry of `points` over persistence's and over the EWMA's, pooled over the rows of some folds.

    From its ratios to the better baseline, and the baselines' MAE in each fold, which are those of every model.
    """
    parts = [
        past
        for past in result["past"]["served"]["scores"]
        if past["horizonHours"] == one["horizonHours"] and past["fold"] in names
    ]
    mine = sum(part["rows"] * one["folds"][part["fold"]] * min(part["persistence"], part["ewma"]) for part in parts)
    now, mean = (sum(part["rows"] * part[base] for part in parts) for base in ("persistence", "ewma"))
    return mine / now, mine / mean


def _challengers(result: dict) -> list[str]:
    lines = [f"Against {result['served']}, all series by the hour (t below 0: better than it):", ""]
    lines += ["| horizon | model | MAE ÷ | t | p |", "|---|---|---|---|---|"]
    for one in result["challengers"]:
        if one["horizonHours"] >= 24:
            lines.append(f"| {_hours(one)} | {one['model']} | {one['ratio']:.3f} | {one['t']:.1f} | {one['p']:.3f} |")
    return [*lines, ""]


def _tests(result: dict) -> list[str]:
    lines = [
        f"{result['served']} by series (Diebold–Mariano's t below 0: better; lag two horizons; p by Holm):",
        "",
        "| horizon | series | rows | ÷ persistence | t | p | ÷ EWMA | t | p |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for one in result["tests"]:
        now, mean = one["persistence"], one["ewma"]
        lines.append(
            f"| {_hours(one)} | {one['series']} | {one['rows']} | {now['ratio']:.3f} | {now['t']:.1f} "
            f"| {now['pHolm']:.3f} | {mean['ratio']:.3f} | {mean['t']:.1f} | {mean['pHolm']:.3f} |"
        )
    return [*lines, ""]


def _unseen(result: dict) -> list[str]:
    lines = ["Leave one series out: the trees never saw the series.", ""]
    lines += ["| horizon | series | MAE | ÷ persistence | ÷ EWMA |", "|---|---|---|---|---|"]
    for one in result["unseen"]:
        lines.append(
            f"| {_hours(one)} | {one['series']} | {100 * one['mae']:.3f} | {one['mae'] / one['persistence']:.3f} "
            f"| {one['mae'] / one['ewma']:.3f} |"
        )
    lines += ["", "Trees for quantiles: CRPS (percentage points), share of targets below each quantile.", ""]
    below = list(result["quantiles"][0]["below"])
    lines += ["| horizon | CRPS | " + " | ".join(below) + " |", "|---|---|" + "---|" * len(below)]
    for one in result["quantiles"]:
        shares = " | ".join(f"{one['below'][q]:.3f}" for q in below)
        lines.append(f"| {_hours(one)} | {100 * one['crps']:.3f} | {shares} |")
    return [*lines, ""]


def _risk(result: dict) -> list[str]:
    names = list(dict.fromkeys(one["fold"] for one in result["folds"]))
    pairs = f"; depegs: {_and(result['pegs']['pairs'])}" if "pegs" in result else ""
    lines = [
        f"Events, {names[0]}–{names[-1]}, {risk_series(result['riskSeries'])}{pairs}, every third fresh hour on which "
        "the event is not on already. All models of an event were compared, and the trees' settings chosen, on these "
        "very folds (EXPERIMENTS.md): gaps between neighbours are no proof.",
        "",
        "| event | rows | share | distinct | model | PR-AUC | Brier skill | declustered: PR-AUC | Brier skill "
        "| High: share, recall, precision |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for event, scored in result["risk"].items():
        every, quiet = scored["all"], scored["declustered"]
        for name, one in every["models"].items():
            high, few = one["highClass"], quiet["models"][name]
            # Of some events every row that is asked counts as declustered.
            after = f"{_share(few['prAuc'])} | {few['brierSkill']:.3f}" if quiet["rows"] < every["rows"] else "– | –"
            lines.append(
                f"| {event} | {every['rows']} | {every['prevalence']:.2%} | {every['events']} | {name} "
                f"| {_share(one['prAuc'])} | {one['brierSkill']:.3f} | {after} "
                f"| {high['share']:.1%}, {high['recall']:.0%}, {high['precision']:.0%} |"
            )
    return lines


def risk_series(names: list[str]) -> str:
    """Which series the events are of, for the heading: the nine, some of them, or others, by name."""
    if set(names) == SCORED:
        return "the nine long series"
    long = f"{len(names)} of the nine long series" if SCORED & set(names) else "none of the nine long series but others"
    return f"{long} ({', '.join(names) or 'no series at all'})"


def _and(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _share(of_events: float | None) -> str:
    """Without any event there is none: NaN, which is null in JSON."""
    return "–" if of_events is None or math.isnan(of_events) else f"{of_events:.3f}"


def _hours(one: dict) -> str:
    return "7 d" if one["horizonHours"] == 168 else f"{one['horizonHours']} h"
