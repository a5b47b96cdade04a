"""What a card says of the project's marks: reached, missed, or not told, with the numbers."""

import math

import pytest
from tillerml import marks

FOLD = {"horizonHours": 24, "fold": "a", "rows": 8, "mae": 0.8, "persistence": 1.0, "ewma": 1.0}


def of(*, served=(24,), tests=(), **changes):
    scores = [{**FOLD, **changes}, {**FOLD, "horizonHours": 168, "mae": 0.7}, {**FOLD, "horizonHours": 4, "mae": 0.9}]
    said = marks.of_rates({"scores": scores, "servedHorizonsHours": list(served), "tests": list(tests)})
    assert said["over"] == ["a"]
    return {one["mark"]: (one["found"], one["reached"]) for one in said["marks"]}


def test_a_missed_mark_is_said_with_what_was_found():
    assert of(mae=0.82)["24 h: MAE over that of persistence"] == (0.82, True)
    assert of(mae=0.84)["24 h: MAE over that of persistence"] == (0.84, False)
    assert of(mae=0.84)["24 h: MAE over that of ewma"] == (0.84, True)


def test_mae_is_pooled_by_rows_over_the_folds():
    scores = [FOLD, {**FOLD, "fold": "b", "rows": 24, "mae": 0.4}]
    said = marks.of_rates({"scores": scores, "servedHorizonsHours": []})
    assert said["over"] == ["a", "b"]
    assert said["marks"][0]["found"] == pytest.approx(0.5)


def test_short_horizons_have_a_mark_only_where_they_are_served():
    name = "4 h, served: MAE over persistence's in its worst fold"
    assert name not in of()
    assert of(served=(4, 24))[name] == (0.9, True)


def test_what_scores_do_not_tell_is_neither_reached_nor_missed():
    def t(series, value):
        return {"series": series, "horizonHours": 168, "ewma": {"t": value}}

    name = "168 h, {}: Diebold and Mariano's t against the EWMA"
    said = of(tests=[t("aave-v3-usdc", -1.9), {**t("aave-v3-usdt", -9), "horizonHours": 24}])
    assert said[name.format("aave-v3-usdc")] == (-1.9, False)
    assert said[name.format("aave-v3-usdt")] == (None, None)


def test_an_event_has_the_scores_of_the_model_that_serves_it():
    scored = {"models": {"a": {"prAuc": 0.3, "brierSkill": 0.1}, "b": {"prAuc": math.nan, "brierSkill": None}}}

    def reached(name, model, table):
        return [one["reached"] for one in marks.of_event(name, scored, model=model, table=table)]

    assert reached("exit-illiquidity-7d", "a", False) == [True, False]
    assert reached("exit-illiquidity-7d", "a", True) == [True, True]
    assert reached("apr-collapse-7d", "a", True) == [False, False]
    assert reached("apr-collapse-7d", "b", False) == [None, None]
    assert reached("exit-illiquidity-24h", "a", False) == []
