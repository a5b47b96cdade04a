"""The data set as Python reads it: mapped as it lies on disk, with the numbers that TypeScript wrote."""

import hashlib
import json
import pathlib
import subprocess

import numpy as np
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    out = tmp_path_factory.mktemp("dataset") / "set"
    command = ["node", "-r", "tsx/cjs", "test/crosscheck/writeDataset.ts", str(out)]
    row = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return out, json.loads(row)


def test_files_are_what_the_manifest_says(written):
    out, _ = written
    manifest = json.loads((out / "manifest.json").read_text())
    for name, said in manifest["files"].items():
        array = np.load(out / name, mmap_mode="r", allow_pickle=False)
        assert list(array.shape) == said["shape"]
        assert array.dtype.str == said["dtype"]
        assert hashlib.sha256((out / name).read_bytes()).hexdigest() == said["sha256"]
    assert manifest["files"]["features.npy"]["shape"] == [manifest["rows"], len(manifest["features"])]
    assert manifest["files"]["targets.npy"]["shape"] == [manifest["rows"], len(manifest["targets"])]


def test_rows_are_of_the_series_and_times_that_they_say(written):
    out, _ = written
    manifest = json.loads((out / "manifest.json").read_text())
    times = np.load(out / "times.npy", mmap_mode="r")
    series = np.load(out / "series.npy", mmap_mode="r")
    for index, one in enumerate(manifest["series"]):
        rows = slice(one["begin"], one["end"])
        assert (series[rows] == index).all()
        assert (times[rows] == np.arange(one["from"], one["to"] + 1, manifest["stepSeconds"])).all()


def test_numbers_are_those_of_typescript(written):
    out, row = written
    manifest = json.loads((out / "manifest.json").read_text())
    index = [one["name"] for one in manifest["series"]].index(row["series"])
    times = np.load(out / "times.npy")
    at = np.flatnonzero((times == row["at"]) & (np.load(out / "series.npy") == index))
    assert len(at) == 1
    expected = np.array([np.nan if value is None else value for value in row["features"]])
    assert np.array_equal(np.load(out / "features.npy")[at[0]], expected, equal_nan=True)
    expected = np.array([np.nan if value is None else value for value in row["targets"]])
    assert np.array_equal(np.load(out / "targets.npy")[at[0]], expected, equal_nan=True)
