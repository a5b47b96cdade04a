"""What is read of a data set, and what is refused."""

import dataclasses
import json
import shutil

import numpy as np
import pytest
from tillerml import dataset


def test_rows_that_are_used_are_of_great_reserves_and_have_a_next_hour(folder, market):
    features, targets = (part.copy() for part in market)
    loaded = dataset.load(folder)
    features[100:200, loaded.column("supplied")] = np.log(9e6)
    targets[300:310] = np.nan
    rows = dataset.usable(dataclasses.replace(loaded, features=features, targets=targets))
    assert not np.isin(np.arange(100, 200), rows.index).any()
    assert not np.isin(np.arange(300, 310), rows.index).any()
    assert np.isin([99, 200, 299, 310], rows.index).all()


def test_stale_rows_are_not_scored_nor_those_whose_target_is_not_known(rows):
    scored = rows.scoreable(3)
    assert scored.any()
    assert (rows.column("age")[scored] < 1).all()
    assert np.isfinite(rows.y[scored, 3]).all()
    assert (rows.column("age") >= 1).any()
    assert np.isnan(rows.y[:, 3]).any()


def test_a_file_that_was_changed_is_refused(folder, tmp_path):
    copy = shutil.copytree(folder, tmp_path / "set")
    targets = np.load(copy / "targets.npy")
    targets[5, 0] += 1e-9
    np.save(copy / "targets.npy", targets)
    with pytest.raises(dataset.DatasetRefused, match=r"targets\.npy"):
        dataset.load(copy)


def test_another_format_and_no_data_set_are_refused(folder, tmp_path):
    copy = shutil.copytree(folder, tmp_path / "set")
    manifest = json.loads((copy / "manifest.json").read_text())
    (copy / "manifest.json").write_text(json.dumps({**manifest, "format": "tiller-dataset/2"}))
    with pytest.raises(dataset.DatasetRefused, match="tiller-dataset/2"):
        dataset.load(copy)
    with pytest.raises(dataset.DatasetRefused, match="tiller dataset"):
        dataset.load(tmp_path / "nothing")


@pytest.mark.parametrize(
    ("name", "asset", "scored"),
    [
        ("aave-v3-usdc", "usdc", True),
        ("compound-v3-usdt", "usdt", True),
        ("aave-v3-weth", "weth", False),
        ("compound-v2-dai", "dai", False),
    ],
)
def test_series_that_are_scored_are_dollars_on_three_venues(name, asset, scored):
    assert dataset.Series(name, asset, 0, 1).scored is scored
