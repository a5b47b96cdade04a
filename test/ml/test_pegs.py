"""Depegs: prices as they are read, labels, who is asked, guards, and what is kept."""

import argparse
import dataclasses
import json

import numpy as np
import pytest
from conftest import BEGIN, HOURS, PEG_NAMES, write_dataset, write_pegs
from tillerml import __main__ as command
from tillerml import artefact, dataset, folds, guards, onnx_graph, pegs, refit, risk, riskfit, trees, walkforward

DEPEG = pegs.EVENTS[0]
FOLDS = tuple(
    folds.Fold(str(n), BEGIN + 3_600 * 1_500 * n, BEGIN + 3_600 * 1_500 * (n + 1)) for n in range(2, HOURS // 1_500)
)


@pytest.fixture(autouse=True)
def few(monkeypatch):
    monkeypatch.setattr(risk, "ROUNDS", 20)
    monkeypatch.setattr(refit, "FROZEN_AT", FOLDS[-1].test_from)


def with_distance(prices, values):
    """The pair with another distance, in the matrices and in the rows."""
    features = np.array(prices.of.features)
    features[:, prices.of.column("distance")] = values
    return dataclasses.replace(
        prices, x=features.astype(np.float32), of=dataclasses.replace(prices.of, features=features)
    )


@pytest.fixture
def pushed(prices):
    values = np.full(HOURS, 0.0002)
    values[500:503] = 0.0016
    return with_distance(prices, values)


def test_a_data_set_without_prices_has_none_and_one_with_them_is_read_beside_its_rates(folder, priced, prices, pair):
    assert pegs.load(folder) is None
    assert prices.of.names == tuple(PEG_NAMES)
    np.testing.assert_array_equal(prices.of.features, pair)
    assert riskfit.scored_series(prices) == ["v3-usdc-usdt-1bp"]
    assert dataset.load(priced).data_hash == dataset.load(folder).data_hash != prices.of.data_hash


def test_prices_that_are_not_those_of_the_manifest_are_refused(market, pair, tmp_path):
    folder = write_pegs(write_dataset(tmp_path / "set", *market), pair)
    np.save(folder / "peg-features.npy", pair + 1e-9)
    with pytest.raises(dataset.DatasetRefused, match="peg-features"):
        pegs.load(folder)


def test_a_depeg_is_strictly_after_the_row_and_within_a_day(pushed):
    happens, asked, quiet = risk.labels(pushed, DEPEG)
    assert np.flatnonzero(happens).tolist() == list(range(500 - 24, 502))
    assert np.flatnonzero(~asked[: HOURS - 24]).tolist() == [500, 501, 502]
    assert not asked[HOURS - 24 :].any()
    assert np.flatnonzero(~quiet[: HOURS - 24]).tolist() == list(range(500, 503 + risk.QUIET_HOURS))
    assert risk.onsets(pushed, np.arange(HOURS), happens) == 1


def test_fifteen_basis_points_are_no_depeg_and_a_little_more_are(prices):
    at = np.full(HOURS, 0.0015)
    assert not risk.labels(with_distance(prices, at), DEPEG)[0].any()
    assert risk.labels(with_distance(prices, at + 1e-6), DEPEG)[0][: HOURS - 24].all()


def test_training_rows_are_purged_by_the_day_and_an_embargo(prices):
    _, asked, _ = risk.labels(prices, DEPEG)
    k = risk.training_rows(prices, DEPEG, asked, FOLDS[1].test_from)
    assert len(k) > 300
    assert prices.times[k].max() + 48 * 3_600 <= FOLDS[1].test_from
    guards.refuse_overlap(prices.times[k], DEPEG.hours, FOLDS[1].test_from)


def test_calibration_and_table_are_the_same_whatever_comes_after_the_fold(prices):
    happens, asked, _ = risk.labels(prices, DEPEG)
    k = risk.training_rows(prices, DEPEG, asked, FOLDS[1].test_from)
    late = prices.times > FOLDS[1].test_from - DEPEG.hours * 3_600
    spoilt = dataclasses.replace(prices, x=np.where(late[:, None], np.float32(9), prices.x))
    changed = np.where(late, ~happens, happens)
    np.testing.assert_array_equal(risk.fit(prices, DEPEG, k, happens)[1], risk.fit(spoilt, DEPEG, k, changed)[1])
    column = risk.rule_column(prices, DEPEG)
    np.testing.assert_array_equal(column, prices.column("distance"))
    for a, b in zip(risk.table(column, k, happens), risk.table(column, k, changed), strict=True):
        np.testing.assert_array_equal(a, b)


def test_trees_never_hold_a_price_that_is_farther_off_for_safer(prices):
    _, asked, _ = risk.labels(prices, DEPEG)
    # A past in which near prices lost their peg, and those that were farther off did not.
    happens = np.asarray(prices.column("distance") < 0.0003)
    fitted, _ = risk.fit(prices, DEPEG, risk.training_rows(prices, DEPEG, asked, FOLDS[-1].test_from), happens)
    steps = np.repeat(prices.x[3_000:3_001], 50, axis=0)
    steps[:, prices.of.column("distance")] = np.linspace(0, 0.003, 50)
    assert (np.diff(risk.margins(fitted, dataclasses.replace(prices, x=steps), np.arange(50))) >= 0).all()


def test_honest_features_of_prices_pass(prices):
    assert guards.leaking_features(prices, pegs.future_of(prices)) == {}


@pytest.mark.parametrize("planted", ["the next hour's price", "the next day's distance, and noise"])
def test_a_feature_of_prices_that_knows_the_future_is_named(prices, planted):
    truth = pegs.future_of(prices).truth
    noise = np.random.default_rng(1).normal(0, 1e-5, HOURS)
    oracle = truth[:, 0] if planted.startswith("the next hour") else truth[:, 1] + noise
    x = prices.x.copy()
    x[:, prices.of.column("liquidity")] = oracle
    with pytest.raises(guards.LeakFound, match="liquidity") as caught:
        guards.refuse_leaking_features(dataclasses.replace(prices, x=x), pegs.future_of(prices))
    assert "sd_24h" not in str(caught.value)


def test_the_future_is_of_the_hours_that_follow_and_of_no_other_pair(prices):
    truth = pegs.future_of(prices).truth
    deviation, distance = (prices.of.features[:, prices.of.column(name)] for name in ("deviation", "distance"))
    np.testing.assert_array_equal(truth[:-1, 0], deviation[1:])
    assert truth[100, 1] == pytest.approx(distance[101:125].mean())
    assert np.isnan(truth[-1, 0]) and np.isnan(truth[-24, 1]) and np.isfinite(truth[-25, 1])


def test_a_score_that_is_too_good_ends_the_build(prices):
    # An hour that is one tick off is always followed by a depeg, and no other is.
    values = np.full(HOURS, 0.0001)
    for begin in range(100, HOURS - 60, 200):
        values[begin : begin + 24], values[begin + 24 : begin + 26] = 0.0012, 0.002
    with pytest.raises(guards.LeakFound, match="risk-depeg-24h"):
        riskfit.scores_of_all(with_distance(prices, values), FOLDS, pegs.EVENTS)


@pytest.fixture(scope="module")
def scored(prices):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(risk, "ROUNDS", 20)
        patch.setattr(refit, "FROZEN_AT", FOLDS[-1].test_from)
        return riskfit.scores_of_all(prices, FOLDS, pegs.SCORED)


def test_every_threshold_is_scored_and_only_the_one_that_is_foretold_is_kept(prices, scored, tmp_path):
    assert list(scored) == ["depeg-24h", "depeg-25bps-24h", "depeg-50bps-24h"]
    events = [one["all"]["events"] for one in scored.values()]
    assert events[0] > events[1] > events[2]
    riskfit.write_all(prices, tmp_path, scored, pegs.EVENTS)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["risk-depeg-24h", "risk-depeg-24h-served"]
    for folder in tmp_path.iterdir():
        artefact.verify(folder)
        card = json.loads((folder / "card.json").read_text())
        assert card["event"]["name"] == "depeg-24h"
        assert [one["name"] for one in card["features"]] == list(PEG_NAMES)
        assert card["dataHash"] == prices.of.data_hash
        assert card["trainSeries"] == ["v3-usdc-usdt-1bp"]
    frozen, served = (
        json.loads((tmp_path / f"risk-depeg-24h{suffix}" / "card.json").read_text()) for suffix in ("", "-served")
    )
    assert frozen["role"] == "evaluation" and frozen["trainWindow"]["to"] <= refit.FROZEN_AT
    assert served["role"] == "served" and served["trainRows"] > frozen["trainRows"]


def test_the_graph_of_trees_and_table_gives_what_python_says(prices):
    happens, asked, _ = risk.labels(prices, DEPEG)
    k = risk.training_rows(prices, DEPEG, asked, FOLDS[-1].test_from)
    fitted, knots = risk.fit(prices, DEPEG, k, happens)
    column = risk.rule_column(prices, DEPEG)
    graph = onnx_graph.risk_model(
        fitted, knots, risk.table(column, k, happens), risk.rule_of(DEPEG), prices.of.names
    )
    test = np.arange(0, HOURS, 7)
    said = artefact.run(graph.SerializeToString(), {"features": prices.x[test]})["probability"][:, 0]
    expected = (risk.probability(fitted, knots, prices, test) + risk.one_column(column, k, happens, test)) / 2
    np.testing.assert_allclose(said, expected, atol=2e-6)


def test_features_without_an_ewma_have_no_ratios_to_it(prices):
    assert trees.with_ratios(prices.x, prices.of.names) is prices.x


def test_with_prices_depegs_are_told_beside_the_other_events_and_without_them_nothing_is(rows, prices, monkeypatch):
    monkeypatch.setattr(riskfit, "scores_of_all", lambda of, shown, events=risk.EVENTS: {e.name: of for e in events})
    without, told = (command.risk_scores(rows, given, FOLDS) for given in (None, prices))
    assert list(without) == ["riskSeries", "risk"] and list(without["risk"]) == [one.name for one in risk.EVENTS]
    assert list(told["risk"]) == [one.name for one in (*risk.EVENTS, *pegs.SCORED)]
    assert told["risk"]["depeg-24h"] is prices and told["risk"]["apr-collapse-7d"] is rows
    assert told["pegs"] == {"dataHash": prices.of.data_hash, "pairs": ["v3-usdc-usdt-1bp"]}


def test_evaluate_and_train_read_no_prices_whose_features_tell_the_future(market, pair, tmp_path):
    spoilt = pair.copy()
    spoilt[:-1, PEG_NAMES.index("liquidity")] = pair[1:, PEG_NAMES.index("deviation")]
    folder = write_pegs(write_dataset(tmp_path / "set", *market), spoilt)
    with pytest.raises(guards.LeakFound, match="liquidity"):
        command.honest_prices(folder)


def test_train_writes_depegs_by_scores_of_these_very_prices(rows, folder, priced, prices, tmp_path, monkeypatch, capsys):
    written = []
    monkeypatch.setattr(command.check, "refuse_if_noise_teaches", lambda *_: 0.0)
    monkeypatch.setattr(refit, "write_rate_model", lambda *_: None)
    monkeypatch.setattr(
        riskfit, "write_all", lambda of, _models, _scored, events=risk.EVENTS: written.append((of.of.data_hash, events))
    )
    file = tmp_path / "scores.json"

    def train(data, **of_prices):
        past = {"past": {"evaluation": {}, "served": {}}, "risk": {}}
        file.write_text(json.dumps({"dataHash": rows.of.data_hash} | past | of_prices))
        written.clear()
        command._train(rows, argparse.Namespace(dataset=data, scores=file, models=tmp_path))

    train(folder)
    assert written == [(rows.of.data_hash, risk.EVENTS)]
    assert "stay as they are" in capsys.readouterr().err
    train(priced, pegs={"dataHash": prices.of.data_hash})
    assert written == [(rows.of.data_hash, risk.EVENTS), (prices.of.data_hash, pegs.EVENTS)]
    for others in ({}, {"pegs": {"dataHash": "0"}}):
        with pytest.raises(command.check.NotOfThisData, match="other prices"):
            train(priced, **others)
        assert written == []
    with pytest.raises(command.check.NotOfThisData, match="other data"):
        train(folder, dataHash="0")
    for broken in ("{", None):
        file.unlink() if broken is None else file.write_text(broken)
        with pytest.raises(command.check.NotOfThisData, match="holds no scores"):
            command._train(rows, argparse.Namespace(dataset=folder, scores=file, models=tmp_path))
    assert written == []


def test_folds_are_those_of_the_other_events():
    assert [fold.name for fold in (*walkforward.WARM_UP, *folds.TESTS)] == [
        *("2023H1", "2023H2", "2024H1", "2024H2", "2025H1")
    ]
