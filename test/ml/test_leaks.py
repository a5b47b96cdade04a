"""Each guard, failing on a planted leak and silent without one."""

import functools

import numpy as np
import pytest
from conftest import BEGIN, HOURS, NAMES, write_dataset
from tillerml import artefact, baselines, dataset, folds, guards, refit, report, stacking, structural, trees, walkforward

FOLD = folds.Fold("test", BEGIN + 3_600 * 6_000, BEGIN + 3_600 * HOURS)


@pytest.fixture(autouse=True)
def few_trees(monkeypatch):
    monkeypatch.setattr(trees, "POINT_ROUNDS", 40)
    monkeypatch.setattr(trees, "SCALE_ROUNDS", 10)
    monkeypatch.setattr(trees, "POINT", {**trees.POINT, "min_child_weight": 20})


def skill(rows, horizon, fitted, test):
    """Over the EWMA."""
    error = np.abs(rows.y[test, horizon] - trees.forecast(fitted, rows, horizon, test)).mean()
    return 1 - error / np.abs(rows.y[test, horizon] - rows.ewma[test]).mean()


def loaded(tmp_path, features, targets, names=NAMES):
    return dataset.usable(dataset.load(write_dataset(tmp_path / "set", features, targets, names)))


def test_a_model_of_the_true_targets_has_skill(rows):
    train, test = folds.training_rows(rows, 2, FOLD.test_from), folds.test_rows(rows, 2, FOLD)
    assert skill(rows, 2, trees.fit_point(rows, 2, train), test) > 0.05


def test_shuffled_targets_give_no_skill(rows):
    train, test = folds.training_rows(rows, 2, FOLD.test_from), folds.test_rows(rows, 2, FOLD)
    deviation = rows.y[train, 2] - trees.anchor(rows, 2, train)
    noise = guards.shuffled(deviation, 3) + trees.anchor(rows, 2, train)
    over = np.abs(rows.y[test, 2] - trees.anchor(rows, 2, test)).mean()
    fitted = trees.fit_point(rows, 2, train, noise)
    guards.refuse_skill_on_noise(1 - np.abs(rows.y[test, 2] - trees.forecast(fitted, rows, 2, test)).mean() / over)


def test_shuffled_targets_give_skill_to_a_model_that_saw_the_test_and_that_is_refused(rows):
    train, test = folds.training_rows(rows, 2, FOLD.test_from), folds.test_rows(rows, 2, FOLD)
    deviation = guards.shuffled(rows.y[train, 2] - trees.anchor(rows, 2, train), 3)
    noise = np.concatenate([deviation + trees.anchor(rows, 2, train), rows.y[test, 2]])
    fitted = trees.fit_point(rows, 2, np.concatenate([train, test]), noise)
    over = np.abs(rows.y[test, 2] - trees.anchor(rows, 2, test)).mean()
    with pytest.raises(guards.LeakFound, match="shuffled"):
        guards.refuse_skill_on_noise(1 - np.abs(rows.y[test, 2] - trees.forecast(fitted, rows, 2, test)).mean() / over)


def test_honest_features_pass(rows):
    assert guards.leaking_features(rows) == {}


def test_features_of_one_step_into_the_future_are_caught(market, tmp_path):
    features, targets = market
    shifted = np.concatenate([np.vstack([part[1:], part[-1:]]) for part in np.split(features, 2)])
    with pytest.raises(guards.LeakFound, match="apr_mean_1h"):
        guards.refuse_leaking_features(loaded(tmp_path, shifted, targets))


def test_a_planted_feature_that_knows_the_target_is_named(market, tmp_path):
    features, targets = market
    rng = np.random.default_rng(1)
    oracle = targets[:, 2] + rng.normal(0, 1e-3, len(targets))
    planted = loaded(tmp_path, np.column_stack([features, oracle]), targets, [*NAMES, "tomorrow"])
    with pytest.raises(guards.LeakFound, match="tomorrow") as caught:
        guards.refuse_leaking_features(planted)
    assert "apr_mean_24h" not in str(caught.value)


def test_training_rows_keep_a_horizon_and_an_embargo_away_from_the_test(rows):
    for horizon, hours in enumerate(rows.of.horizons):
        train = folds.training_rows(rows, horizon, FOLD.test_from)
        assert rows.times[train].max() + 2 * hours * 3_600 <= FOLD.test_from
        guards.refuse_overlap(rows.times[train], hours, FOLD.test_from)
        with pytest.raises(guards.LeakFound):
            guards.refuse_overlap(np.append(rows.times[train], FOLD.test_from - hours * 3_600), hours, FOLD.test_from)


def test_training_on_the_future_tail_changes_what_the_card_says(rows):
    _, _, honest = refit.fit_rate_model(rows, FOLD.test_from)
    _, _, late = refit.fit_rate_model(rows, FOLD.test_from + 30 * 86_400)
    assert honest["trainWindow"]["to"] <= FOLD.test_from < late["trainWindow"]["to"]
    assert honest["trainRowsHash"] != late["trainRowsHash"]
    with pytest.raises(guards.LeakFound, match="training window"):
        test = folds.test_rows(rows, 2, FOLD)
        guards.refuse_inside(rows.times[test], (late["trainWindow"]["from"], late["trainWindow"]["to"]))


def test_one_row_more_is_another_hash(rows):
    train = folds.training_rows(rows, 2, FOLD.test_from)
    assert folds.rows_hash(rows, train) != folds.rows_hash(rows, train[:-1])


@pytest.mark.parametrize("score", [{"skill": 0.61}, {"pr_auc": 0.91}])
def test_scores_too_good_stop_the_build_until_they_are_explained(score, monkeypatch):
    with pytest.raises(guards.LeakFound, match="explain it"):
        guards.refuse_too_good("a model", **score)
    monkeypatch.setitem(guards.EXPLAINED, "a model", "a toy curve without noise")
    guards.refuse_too_good("a model", **score)
    with pytest.raises(guards.LeakFound, match="another"):
        guards.refuse_too_good("another", **score)


@pytest.mark.parametrize("score", [{"skill": float("nan")}, {"pr_auc": float("nan")}])
def test_a_score_of_nothing_is_refused_and_no_explanation_helps(score, monkeypatch):
    monkeypatch.setitem(guards.EXPLAINED, "a model", "a toy curve without noise")
    with pytest.raises(guards.LeakFound, match="nothing was scored"):
        guards.refuse_too_good("a model", **score)


def test_a_skill_on_noise_of_no_rows_is_refused():
    with pytest.raises(guards.LeakFound, match="nothing was scored"):
        guards.refuse_skill_on_noise(float("nan"))


def test_scores_as_they_are_found_pass():
    guards.refuse_too_good("a model", skill=0.36, pr_auc=0.37)


def test_a_fitted_baseline_is_the_same_whatever_comes_after_the_fold(market, tmp_path, rows):
    features, targets = (part.copy() for part in market)
    late = np.tile(np.arange(HOURS) > 6_100, 2)
    features[late] *= 3
    targets[late] *= 3
    other = loaded(tmp_path, features, targets)
    train, test = folds.training_rows(rows, 2, FOLD.test_from), folds.training_rows(rows, 2, FOLD.test_from)[-50:]
    for model in (baselines.ridge, baselines.nlinear, structural.forecast):
        np.testing.assert_array_equal(model(rows, 2, train, test), model(other, 2, train, test))
    spoilt = baselines.Scaler.fitted(other.x)
    assert not np.allclose(baselines.Scaler.fitted(rows.x[train]).mean, spoilt.mean)


def test_stacking_weights_come_from_past_folds_only(rows):
    def walked(spoil):
        shown = (folds.Fold("a", BEGIN + 3_600 * 5_000, BEGIN + 3_600 * 6_000), FOLD)
        walk = walkforward.Walk(rows, shown)
        for fold in shown:
            for h in range(4):
                test = folds.test_rows(rows, h, fold)
                walk.test[h, fold.name] = test
                good = rows.y[test, h] if fold.name == "a" else rows.ewma[test] + spoil
                walkforward._keep(walk, "good", (h, fold.name), good)
                walkforward._keep(walk, "bad", (h, fold.name), rows.ewma[test] * 0.5)
        walkforward.stack(walk, "stacked", ("good", "bad"))
        return walk.weights["stacked"]

    assert walked(0.0) == walked(9.0)
    assert walked(0.0)[2, "test"] == {"good": 1.0, "bad": 0.0}
    assert walked(0.0)[2, "a"] == {"good": 0.5, "bad": 0.5}


def test_stacking_finds_the_mixture_that_made_the_target():
    rng = np.random.default_rng(2)
    members = rng.normal(0.05, 0.02, (500, 3))
    np.testing.assert_allclose(stacking.weights(members, members @ [0.7, 0.0, 0.3]), [0.7, 0, 0.3], atol=1e-4)


def test_a_solver_that_gives_up_ends_the_build(monkeypatch):
    rng = np.random.default_rng(2)
    members = rng.normal(0.05, 0.02, (500, 3))
    idle = functools.partial(stacking.linprog, options={"maxiter": 0, "presolve": False})
    monkeypatch.setattr(stacking, "linprog", idle)
    with pytest.raises(stacking.NotSolved, match="500 rows and 3 members"):
        stacking.weights(members, members @ [0.7, 0.0, 0.3])


def test_weights_of_no_past_are_refused():
    with pytest.raises(stacking.NotSolved, match="nothing to take weights from"):
        stacking.weights(np.empty((0, 3)), np.empty(0))


def test_a_horizon_without_a_past_fold_is_not_served(rows):
    said = report.past_scores(walkforward.Walk(rows, (FOLD,)), FOLD.test_from)
    assert said == {"servedHorizonsHours": [], "scores": [], "errorStats": {}, "tests": []}


def test_statistics_for_drift_are_of_the_training_rows(rows):
    train = folds.training_rows(rows, 2, FOLD.test_from)
    said = artefact.feature_stats(rows.x[train], rows.of.names)
    assert said["apr"]["mean"] == pytest.approx(rows.x[train, 0].mean(), rel=1e-4)
    assert said["spread_mean"] == {"mean": None, "sd": None, "p01": None, "p50": None, "p99": None, "nanShare": 1.0}
