"""Models as ONNX give what the trees give, and an artefact that is not whole is refused."""

import gzip
import json

import numpy as np
import pytest
from conftest import BEGIN
from tillerml import artefact, folds, onnx_graph, refit, risk, trees

FROZEN = BEGIN + 3_600 * 6_000


@pytest.fixture(scope="module")
def fitted(rows):
    k = folds.training_rows(rows, 2, FROZEN)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trees, "POINT_ROUNDS", 30)
        patch.setattr(trees, "SCALE_ROUNDS", 10)
        patch.setattr(trees, "POINT", {**trees.POINT, "min_child_weight": 20})
        point = [trees.fit_point(rows, h, k) for h in range(4)]
        scale = [trees.fit_scale(rows, h, k) for h in range(4)]
    return point, scale, onnx_graph.rate_model(point, scale, rows.of.names, rows.of.horizons)


@pytest.fixture
def written(rows, fitted, tmp_path):
    card = {"name": "test", "horizonsHours": [1, 4, 24, 168]}
    golden = refit.golden_rows(rows, np.arange(3_000))
    artefact.write(tmp_path / "test", fitted[2], card, {"features": golden})
    return tmp_path / "test"


def test_the_graph_gives_what_the_trees_give(rows, fitted):
    point, scale, model = fitted
    k = np.arange(0, len(rows.times), 7)
    assert np.isnan(rows.x[k]).any()
    said = artefact.run(model.SerializeToString(), {"features": rows.x[k]})
    for h in range(4):
        forecast = trees.forecast(point[h], rows, h, k)
        np.testing.assert_allclose(rows.ewma[k] + said["deviation"][:, h], forecast, atol=2e-7)
        np.testing.assert_allclose(said["scale"][:, h], trees.raw(scale[h], rows, k), rtol=1e-5)
    assert (said["scale"] > 0).all()


def test_a_value_on_a_threshold_goes_where_the_trees_send_it(rows, fitted):
    point, _, model = fitted
    first_splits = [(t["split_indices"][0], np.float32(t["split_conditions"][0])) for t in onnx_graph._trees(point[2])]
    feature, threshold = next(split for split in first_splits if split[0] < rows.x.shape[1])
    row = np.repeat(rows.x[500:501], 3, axis=0)
    row[:, feature] = [np.nextafter(threshold, np.float32(-1)), threshold, np.nextafter(threshold, np.float32(9))]
    said = artefact.run(model.SerializeToString(), {"features": row})["deviation"][:, 2]
    wide = trees.with_ratios(row, rows.of.names)
    anchored = trees.ANCHORS[24] * row[:, rows.of.column("apr_less_ewma")]
    np.testing.assert_allclose(said, trees.TRUST[24] * point[2].inplace_predict(wide) + anchored, atol=1e-7)


def test_an_artefact_that_was_written_is_verified(written):
    artefact.verify(written)
    with gzip.open(written / "golden.json.gz") as file:
        vectors = json.load(file)
    assert len(vectors["inputs"]["features"]) >= 200
    assert any(value is None for row in vectors["inputs"]["features"] for value in row)


def test_the_same_model_is_the_same_bytes(rows, fitted, written, tmp_path):
    golden = refit.golden_rows(rows, np.arange(3_000))
    artefact.write(
        tmp_path / "again", fitted[2], {"name": "test", "horizonsHours": [1, 4, 24, 168]}, {"features": golden}
    )
    for name in ("model.onnx", "card.json", "golden.json.gz"):
        assert (written / name).read_bytes() == (tmp_path / "again" / name).read_bytes()


def test_a_model_that_is_not_the_cards_is_refused(written):
    content = bytearray((written / "model.onnx").read_bytes())
    content[len(content) // 2] ^= 1
    (written / "model.onnx").write_bytes(content)
    with pytest.raises(artefact.ArtefactRefused, match="not the one"):
        artefact.verify(written)


def test_golden_vectors_that_come_out_differently_are_refused(written):
    with gzip.open(written / "golden.json.gz") as file:
        vectors = json.load(file)
    vectors["outputs"]["deviation"][17][2] += 2e-5 * 1e-3
    with gzip.open(written / "golden.json.gz", "wt") as file:
        json.dump(vectors, file)
    with pytest.raises(artefact.ArtefactRefused, match="deviation"):
        artefact.verify(written)


def test_a_model_too_large_for_the_repository_is_refused(fitted, rows, tmp_path, monkeypatch):
    monkeypatch.setattr(artefact, "MOST_BYTES", 1_000)
    with pytest.raises(artefact.ArtefactRefused, match="bytes"):
        artefact.write(tmp_path / "test", fitted[2], {}, {"features": rows.x[:4]})


def test_outputs_that_are_no_numbers_are_refused(fitted, rows, tmp_path):
    broken = rows.x[:4].copy()
    broken[:, rows.of.column("apr_less_ewma")] = np.nan
    with pytest.raises(artefact.ArtefactRefused, match="not finite"):
        artefact.write(tmp_path / "test", fitted[2], {}, {"features": broken})


def test_a_probability_is_the_mean_of_a_line_between_knots_and_of_steps(rows, fitted):
    trees_of = fitted[0][2]
    k = np.arange(0, len(rows.times), 11)
    margin = trees.raw(trees_of, rows, k)
    places = np.quantile(margin, [0.1, 0.5, 0.9])
    knots = np.column_stack([places, [0.01, 0.05, 0.6]])
    edges, frequency = np.quantile(rows.column("utilisation"), [0.5, 0.9]), np.array([0.01, 0.02, 0.3])
    steps = frequency[np.digitize(rows.column("utilisation")[k], edges.astype(np.float32))]
    table, of = (edges, frequency), ("utilisation", None)
    mean = onnx_graph.risk_model(trees_of, knots, table, of, rows.of.names)
    said = artefact.run(mean.SerializeToString(), {"features": rows.x[k]})["probability"]
    assert said.shape == (len(k), 1)
    np.testing.assert_allclose(said[:, 0], (np.interp(margin, places, knots[:, 1]) + steps) / 2, atol=1e-4)
    alone = onnx_graph.risk_model(None, None, table, of, rows.of.names)
    np.testing.assert_allclose(
        artefact.run(alone.SerializeToString(), {"features": rows.x[k]})["probability"][:, 0], steps
    )


def test_a_table_of_a_ratio_is_of_the_rate_over_its_ewma(rows):
    k = np.arange(0, len(rows.times), 11)
    ratio = risk.rule_column(rows, risk.EVENTS[0])
    edges, frequency = np.quantile(ratio, [0.2, 0.8]).astype(np.float32), np.array([0.0, 0.1, 0.4])
    model = onnx_graph.risk_model(None, None, (edges, frequency), ("apr", "ewma_24h"), rows.of.names)
    said = artefact.run(model.SerializeToString(), {"features": rows.x[k]})["probability"][:, 0]
    np.testing.assert_allclose(said, frequency[np.digitize(ratio[k], edges)], atol=1e-6)


@pytest.mark.parametrize("folder", sorted(p.parent for p in (refit.MODELS).glob("*/card.json")), ids=lambda p: p.name)
def test_models_in_the_repository_are_whole(folder):
    artefact.verify(folder)
    assert (folder / "model.onnx").stat().st_size <= artefact.MOST_BYTES
