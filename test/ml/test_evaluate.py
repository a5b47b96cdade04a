"""The whole of `evaluate` and `train` on the synthetic market, with few trees."""

import dataclasses
import json

import pytest
from conftest import BEGIN
from tillerml import __main__ as command
from tillerml import artefact, check, folds, guards, readme, refit, risk, riskfit, trees


def fold(number):
    return folds.Fold(str(number), BEGIN + 3_600 * 1_200 * number, BEGIN + 3_600 * 1_200 * (number + 1))


@pytest.fixture(scope="module")
def scored(rows, prices):
    with pytest.MonkeyPatch.context() as patch:
        _few(patch)
        # A toy curve tells its next hour nearly whole: what is learnt of it is too good to be believed.
        patch.setattr(guards, "MOST_SKILL", 0.99)
        patch.setattr(guards, "MOST_PR_AUC", 0.999)
        patch.setattr(refit, "FROZEN_AT", fold(6).test_from)
        return command.scores_of(rows, tuple(fold(n) for n in (4, 5, 6)), (fold(3),), None, prices)


def _few(patch):
    patch.setattr(trees, "POINT_ROUNDS", 30)
    patch.setattr(trees, "SCALE_ROUNDS", 10)
    patch.setattr(trees, "POINT", {**trees.POINT, "min_child_weight": 20})
    patch.setattr(risk, "ROUNDS", 20)


def test_every_model_is_scored_on_every_horizon_and_fold(scored):
    models = {one["model"] for one in scored["points"]}
    assert {"persistence", "EWMA 24 h", "ridge", "NLinear", "structural", "XGBoost", "stacked"} <= models
    assert len(scored["points"]) == 4 * len(models)
    assert all(set(one["folds"]) == {"4", "5", "6"} for one in scored["points"])


def test_series_that_no_tree_saw_and_quantiles_are_scored_on_every_horizon(scored):
    assert {one["horizonHours"] for one in scored["quantiles"]} == {1, 4, 24, 168}
    unseen = {(one["series"], one["horizonHours"]) for one in scored["unseen"]}
    assert unseen == {(name, hours) for name in ("aave-v3-usdc", "compound-v3-usdt") for hours in (1, 4, 24, 168)}


def test_persistence_is_exactly_as_good_as_itself(scored):
    for one in scored["points"]:
        if one["model"] == "persistence":
            assert one["overPersistence"] == 1
            assert one["overPersistence90"] == [1, 1]


def test_a_frozen_card_knows_only_folds_and_targets_that_had_ended(rows, scored):
    frozen = scored["past"]["evaluation"]["scores"]
    assert {one["fold"] for one in frozen} == {"3", "4", "5"}
    week = folds.test_rows(rows, 3, fold(5))
    ended = rows.times[week] + 168 * 3_600 <= fold(6).test_from
    assert not ended.all()
    assert [one["rows"] for one in frozen if (one["fold"], one["horizonHours"]) == ("5", 168)] == [ended.sum()]
    assert {one["fold"] for one in scored["past"]["served"]["scores"]} == {"3", "4", "5", "6"}


def test_a_horizon_is_served_only_where_each_past_fold_beat_the_better_baseline(scored):
    for said in scored["past"].values():
        for hours in (1, 4, 24, 168):
            ratios = [one["overBetterBaseline"] for one in said["scores"] if one["horizonHours"] == hours]
            assert (hours in said["servedHorizonsHours"]) == all(ratio < 0.995 for ratio in ratios)


def test_scores_are_json_and_a_readme(scored, tmp_path):
    json.dumps(scored["points"], allow_nan=False)
    file = tmp_path / "README.md"
    file.write_text(f"before\n{readme.BEGIN}\nwhat stood there\n{readme.END}\nafter\n")
    readme.into(file, scored)
    text = file.read_text()
    assert text.startswith("before\n") and text.endswith("after\n")
    assert "what stood there" not in text and "| 7 d | XGBoost |" in text
    assert scored["riskSeries"] == ["aave-v3-usdc"]
    assert "Events, 3–6, 1 of the nine long series (aave-v3-usdc); depegs: v3-usdc-usdt-1bp, every" in text
    assert "| depeg-24h |" in text and "| depeg-50bps-24h |" in text


def test_models_that_are_kept_say_where_they_come_from(rows, scored, tmp_path, monkeypatch):
    _few(monkeypatch)
    monkeypatch.setattr(refit, "FROZEN_AT", fold(6).test_from)
    refit.write_rate_model(rows, tmp_path / "frozen", refit.FROZEN_AT, scored["past"]["evaluation"])
    riskfit.write_all(rows, tmp_path, scored["risk"])
    card = json.loads((tmp_path / "frozen" / "card.json").read_text())
    assert card["trainWindow"]["to"] <= refit.FROZEN_AT
    assert card["role"] == "evaluation"
    assert card["dataHash"] == rows.of.data_hash
    assert [one["name"] for one in card["features"]] == list(rows.of.names)
    assert set(card["featureStats"]) == set(rows.of.names)
    assert set(card["errorStats"]) == {"1", "4", "24", "168"}
    assert card["marks"]["over"] == ["3", "4", "5"]
    told = {one["mark"]: one["reached"] for one in card["marks"]["marks"]}
    assert told["168 h, aave-v3-usdc: Diebold and Mariano's t against the EWMA"] is not None
    assert told["168 h, aave-v3-usdt: Diebold and Mariano's t against the EWMA"] is None
    for file in tmp_path.glob("*/card.json"):
        assert "marks" in json.loads(file.read_text())["marks"]
        artefact.verify(file.parent)


def test_a_kept_model_is_scored_after_its_training_window_only(rows, scored, tmp_path, monkeypatch):
    _few(monkeypatch)
    refit.write_rate_model(rows, tmp_path / "frozen", fold(6).test_from, scored["past"]["evaluation"])
    found = check.score(rows, tmp_path / "frozen")
    assert {one["series"] for one in found} == {"aave-v3-usdc", "compound-v3-usdt"}
    window = json.loads((tmp_path / "frozen" / "card.json").read_text())["trainWindow"]
    for one in found:
        many = rows.scoreable((1, 4, 24, 168).index(one["horizonHours"])) & (rows.times > window["to"])
        assert (
            one["rows"] == (many & (rows.series_of == ["aave-v3-usdc", "compound-v3-usdt"].index(one["series"]))).sum()
        )
    day = [one for one in found if one["horizonHours"] == 24]
    assert all(one["mae"] < one["ewma"] for one in day)


def test_an_evaluation_model_that_learnt_from_after_the_freeze_is_not_scored(rows, scored, tmp_path, monkeypatch):
    _few(monkeypatch)
    monkeypatch.setattr(refit, "FROZEN_AT", fold(6).test_from)
    late = fold(6).test_from + 30 * 86_400
    refit.write_rate_model(rows, tmp_path / "late", late, scored["past"]["evaluation"])
    with pytest.raises(guards.LeakFound, match="training window"):
        check.score(rows, tmp_path / "late")
    card = tmp_path / "late" / "card.json"
    card.write_text(card.read_text().replace('"role": "evaluation"', '"role": "served"'))
    assert check.score(rows, tmp_path / "late")


def test_a_model_of_other_features_is_not_scored(rows, scored, tmp_path, monkeypatch):
    _few(monkeypatch)
    refit.write_rate_model(rows, tmp_path / "frozen", fold(6).test_from, scored["past"]["evaluation"])
    other = dataclasses.replace(rows, of=dataclasses.replace(rows.of, names=("other", *rows.of.names[1:])))
    with pytest.raises(check.NotOfThisData, match="frozen"):
        check.score(other, tmp_path / "frozen")


def test_shuffled_targets_are_not_held_for_harmless_where_no_row_follows_the_freeze(rows):
    with pytest.raises(check.NotOfThisData, match="24 h lies after the freeze"):
        check.refuse_if_noise_teaches(rows, 2, int(rows.times.max()) + 1)


def test_shuffled_targets_teach_nothing(rows, monkeypatch):
    _few(monkeypatch)
    assert check.refuse_if_noise_teaches(rows, 2, fold(6).test_from) < guards.MOST_SKILL_OF_NOISE
