"""`python -m tillerml evaluate DATASET`, `train DATASET`, `check DATASET`, `refit DATASET --out FOLDER`.

`evaluate` walks forward with every model and writes scores; `train` fits what is kept under models/ by them; `check`
scores the rate models that are kept there on rows after their training windows; `refit`, which `tiller models refit`
calls, judges and fits one rate model on a keeper's own data. Exit status 3: refused, with the reason on stderr.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import sys
import threading
from pathlib import Path

from . import (
    artefact,
    challenger,
    check,
    dataset,
    folds,
    guards,
    pegs,
    readme,
    refit,
    report,
    riskfit,
    stacking,
    walkforward,
)

HERE = Path(__file__).parent.parent
REFUSALS = (
    dataset.DatasetRefused,
    guards.LeakFound,
    artefact.ArtefactRefused,
    check.NotOfThisData,
    stacking.NotSolved,
    challenger.TooLittleHistory,
)
REFUSED = 3


def main() -> None:
    parser = argparse.ArgumentParser(prog="tillerml", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, does in (("evaluate", _evaluate), ("train", _train), ("check", _check)):
        one = commands.add_parser(name)
        one.add_argument("dataset", type=Path, help="folder that tiller dataset wrote")
        one.add_argument("--scores", type=Path, default=HERE / "scores.json", help="evaluate writes it, train reads it")
        one.set_defaults(does=does)
        if name != "evaluate":
            one.add_argument("--models", type=Path, default=refit.MODELS, help="folder of the models")
    one = commands.add_parser("refit")
    one.add_argument("dataset", type=Path, help="folder that tiller dataset wrote")
    one.add_argument("--out", type=Path, required=True, help="folder of the model, named as it is")
    one.add_argument("--while-stdin", action="store_true", help="end when standard input does: with whoever holds it")
    one.set_defaults(does=_refit)
    options = parser.parse_args()
    if getattr(options, "while_stdin", False):
        threading.Thread(target=_end_with_stdin, daemon=True).start()
    try:
        rows = dataset.usable(dataset.load(options.dataset))
        guards.refuse_leaking_features(rows)
        options.does(rows, options)
    except REFUSALS as error:
        print(error, file=sys.stderr)
        sys.exit(REFUSED)


def _end_with_stdin() -> None:
    """However its other end went: nobody is left who would want the model."""
    # Not by sys.stdin: its lock would be held when the interpreter wants to end.
    while os.read(0, 1):
        pass
    os._exit(1)


def _evaluate(rows: dataset.Rows, options: argparse.Namespace) -> None:
    deep = None
    if importlib.util.find_spec("torch") is None:
        print("PyTorch is not installed: no rows of the LSTM and the transformer", file=sys.stderr)
    else:
        from . import deep as networks

        deep = networks.learners()
    prices = honest_prices(options.dataset)
    result = scores_of(rows, folds.TESTS, walkforward.WARM_UP, deep, prices)
    options.scores.write_text(json.dumps(riskfit.without_nan(result), indent=1, allow_nan=False) + "\n")
    readme.into(HERE / "README.md", result)
    print(readme.markdown(result))


def honest_prices(folder: Path) -> dataset.Hours | None:
    """Hours of the data set's pairs of dollars, none of whose features tells the future; None: it has no prices."""
    prices = pegs.load(folder)
    if prices is not None:
        guards.refuse_leaking_features(prices, pegs.future_of(prices))
    return prices


def scores_of(
    rows: dataset.Rows,
    shown: tuple[folds.Fold, ...],
    warm_up: tuple[folds.Fold, ...],
    deep: dict | None,
    prices: dataset.Hours | None = None,
) -> dict:
    """All that is told of the models, as JSON: `points` are scored on `shown`, `risk` on all folds.

    prices: of pairs of dollars; without them nothing is told of depegs.
    """
    walk = walkforward.walk(rows, (*warm_up, *shown), deep)
    horizons = tuple(range(len(rows.of.horizons)))
    return {
        "dataHash": rows.of.data_hash,
        "folds": folds.fold_table(rows, walk.folds, refit.THIN),
        "points": report.point_table(walk, shown),
        "blocks": report.BLOCKS,
        "served": walkforward.XGBOOST,
        "tests": report.series_tests(walk, shown, walkforward.XGBOOST),
        "challengers": report.challengers(walk, shown, walkforward.XGBOOST),
        "unseen": walkforward.leave_one_series_out(rows, shown, horizons),
        "quantiles": walkforward.quantile_scores(rows, shown, horizons),
        "weights": {
            name: {f"{rows.of.horizons[h]} h, {fold}": one for (h, fold), one in by_fold.items()}
            for name, by_fold in walk.weights.items()
        },
        "past": {
            "evaluation": report.past_scores(walk, refit.FROZEN_AT),
            "served": report.past_scores(walk, 2**62),
        },
        **risk_scores(rows, prices, (*warm_up, *shown)),
    }


def risk_scores(rows: dataset.Rows, prices: dataset.Hours | None, shown: tuple[folds.Fold, ...]) -> dict:
    """What is told of events: of lenders and, where there are prices, of depegs."""
    told = {"riskSeries": riskfit.scored_series(rows), "risk": riskfit.scores_of_all(rows, shown)}
    if prices is None:
        return told
    return {
        **told,
        "risk": {**told["risk"], **riskfit.scores_of_all(prices, shown, pegs.SCORED)},
        "pegs": {"dataHash": prices.of.data_hash, "pairs": riskfit.scored_series(prices)},
    }


def _train(rows: dataset.Rows, options: argparse.Namespace) -> None:
    try:
        scored = json.loads(options.scores.read_text())
    except (OSError, ValueError) as error:
        raise check.NotOfThisData(f"{options.scores} holds no scores: run evaluate on this data set first") from error
    if scored.get("dataHash") != rows.of.data_hash:
        raise check.NotOfThisData(f"{options.scores} is of other data: run evaluate on this data set first")
    prices = honest_prices(options.dataset)
    if prices is not None and scored.get("pegs", {}).get("dataHash") != prices.of.data_hash:
        raise check.NotOfThisData(f"{options.scores} is of other prices: run evaluate on this data set first")
    for horizon, hours in enumerate(rows.of.horizons):
        skill = check.refuse_if_noise_teaches(rows, horizon, refit.FROZEN_AT)
        print(f"skill of trees that learnt shuffled targets, {hours} h: {skill:.1%}", file=sys.stderr)
    refit.write_rate_model(rows, options.models / refit.EVALUATION, refit.FROZEN_AT, scored["past"]["evaluation"])
    refit.write_rate_model(rows, options.models / "served", None, scored["past"]["served"])
    riskfit.write_all(rows, options.models, scored["risk"])
    if prices is None:
        print("the data set has no prices: models of depegs stay as they are", file=sys.stderr)
    else:
        riskfit.write_all(prices, options.models, scored["risk"], pegs.EVENTS)


def _refit(rows: dataset.Rows, options: argparse.Namespace) -> None:
    challenger.write(rows, options.out)


def _check(rows: dataset.Rows, options: argparse.Namespace) -> None:
    for folder in sorted(file.parent for file in options.models.glob("*/card.json")):
        if folder.name.startswith("risk-"):
            artefact.verify(folder)
            print(f"{folder.name}: golden vectors come out the same")
            continue
        found = check.score(rows, folder)
        if not found:
            few = f"under {check.LEAST_ROWS} rows of each series after its training window: not scored"
            print(f"{folder.name}: golden vectors come out the same; {few}")
        for one in found:
            print(
                f"{folder.name} {one['horizonHours']:>3} h {one['series']:<17} {one['rows']:>6} rows  "
                f"MAE {100 * one['mae']:.3f} pp, ÷ persistence {one['mae'] / one['persistence']:.3f}, "
                f"÷ EWMA {one['mae'] / one['ewma']:.3f}; scale ÷ error {one['scaleOverError']:.2f}"
            )


if __name__ == "__main__":
    main()
