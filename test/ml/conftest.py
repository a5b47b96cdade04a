"""Tests of ml/ on a small synthetic market: rates of a kinked curve whose utilisation reverts to where it mostly is."""

import hashlib
import json
import pathlib
import sys

import numpy as np
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "ml"))

HOURS = 9_000
BEGIN = 1_672_531_200 - 5_000 * 3_600
NAMES = (
    "apr borrow_apr utilisation supplied cash ewma_24h apr_less_ewma borrow_slope_7d age parameters_age spread_mean "
    "spread_best apr_mean_1h apr_mean_4h apr_mean_24h apr_mean_7d apr_least_24h apr_most_24h apr_least_7d apr_most_7d "
    "apr_sd_24h apr_sd_7d apr_change_24h apr_change_7d utilisation_mean_1h utilisation_mean_4h "
    "utilisation_mean_24h utilisation_mean_7d"
).split()


def _curve(utilisation):
    borrow = np.where(utilisation < 0.9, 0.04 * utilisation / 0.9, 0.04 + 0.6 * (utilisation - 0.9) / 0.1)
    return borrow, borrow * utilisation * 0.9


def _mean(values, hours, *, ahead):
    """Mean by time over the hours before or after each row, of states that change at half past; NaN at the end."""
    total = np.concatenate([[0.0], np.cumsum((values[:-1] + values[1:]) / 2)])
    means = (total[hours:] - total[:-hours]) / hours
    unknown = np.full(hours, np.nan)
    return np.concatenate([means, unknown] if ahead else [unknown, means])


def _series(rng):
    gap = np.zeros(HOURS)
    for t in range(1, HOURS):
        gap[t] = 0.97 * gap[t - 1] + 0.01 * rng.standard_normal()
    utilisation = np.clip(0.86 + gap, 0.3, 0.99)
    borrow, apr = _curve(utilisation)
    frames = {1: "1h", 4: "4h", 24: "24h", 168: "7d"}
    columns = {
        "apr": apr,
        "borrow_apr": borrow,
        "utilisation": utilisation,
        "supplied": np.full(HOURS, np.log(5e7)),
        "cash": np.log(5e7 * (1 - utilisation)),
        "ewma_24h": _ewma(apr),
        "parameters_age": np.full(HOURS, 168.0),
        "age": np.where(rng.random(HOURS) < 0.1, 1.5, 0.3),
        "borrow_slope_7d": np.full(HOURS, np.nan),
        "spread_mean": np.full(HOURS, np.nan),
        "spread_best": np.full(HOURS, np.nan),
    }
    columns["apr_less_ewma"] = apr - columns["ewma_24h"]
    for hours, frame in frames.items():
        columns[f"apr_mean_{frame}"] = _mean(apr, hours, ahead=False)
        columns[f"utilisation_mean_{frame}"] = _mean(utilisation, hours, ahead=False)
    for hours, frame in ((24, "24h"), (168, "7d")):
        windows = np.lib.stride_tricks.sliding_window_view(apr, hours)
        for name, reduce in (("least", np.min), ("most", np.max), ("sd", np.std)):
            column = np.full(HOURS, np.nan)
            column[hours - 1 :] = reduce(windows, axis=1)
            columns[f"apr_{name}_{frame}"] = column
        change = np.full(HOURS, np.nan)
        change[hours:] = apr[hours:] - apr[:-hours]
        columns[f"apr_change_{frame}"] = change
    targets = np.column_stack([_mean(apr, hours, ahead=True) for hours in frames])
    return np.column_stack([columns[name] for name in NAMES]), targets


def _ewma(apr):
    out, kept = np.empty(HOURS), 0.5 ** (1 / 24)
    out[0] = apr[0]
    for t in range(1, HOURS):
        out[t] = kept * out[t - 1] + (1 - kept) * apr[t - 1]
    return out


def _written(folder, arrays):
    files = {}
    for name, array in arrays.items():
        np.save(folder / name, array)
        content = (folder / name).read_bytes()
        files[name] = {
            "dtype": array.dtype.str,
            "shape": list(array.shape),
            "sha256": hashlib.sha256(content).hexdigest(),
        }
    return files


def write_dataset(folder, features, targets, names=NAMES):
    """As `tiller dataset` lays one out: two series of equal length, one after the other."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = len(features)
    times = np.tile(BEGIN + 3_600 * np.arange(rows // 2, dtype=np.int64), 2)
    arrays = {
        "features.npy": features,
        "targets.npy": targets,
        "times.npy": times,
        "series.npy": np.repeat(np.arange(2, dtype=np.int32), rows // 2),
    }
    files = _written(folder, arrays)
    series = [
        {"name": name, "asset": name.split("-")[-1], "begin": k * rows // 2, "end": (k + 1) * rows // 2}
        for k, name in enumerate(("aave-v3-usdc", "compound-v3-usdt"))
    ]
    manifest = {
        "format": "tiller-dataset/1",
        "featureVersion": 1,
        "dataHash": hashlib.sha256(features.tobytes()).hexdigest(),
        "rows": rows,
        "features": [{"name": name, "unit": "1", "what": ""} for name in names],
        "targets": [{"name": f"apr_mean_next_{h}h", "unit": "", "horizonHours": h} for h in (1, 4, 24, 168)],
        "series": series,
        "files": files,
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


PEG_NAMES = "deviation distance liquidity age distance_most_24h deviation_sd_24h".split()


def _pair(rng):
    """A price that wanders about 1 and is now and then pushed away from it, and comes back within days."""
    deviation = np.zeros(HOURS)
    for t in range(1, HOURS):
        pushed = rng.random() < 0.002
        deviation[t] = 0.95 * deviation[t - 1] + 0.0002 * rng.standard_normal() + 0.002 * pushed
    distance = np.abs(deviation)
    windows = np.lib.stride_tricks.sliding_window_view(deviation, 25)
    most, sd = np.full(HOURS, np.nan), np.full(HOURS, np.nan)
    most[24:], sd[24:] = np.abs(windows).max(axis=1), windows.std(axis=1)
    liquidity = np.log(np.maximum(1, rng.integers(0, 3, HOURS) * 5e5))
    return np.column_stack([deviation, distance, liquidity, np.zeros(HOURS), most, sd])


def write_pegs(folder, features):
    """As `tiller dataset` adds prices of one pair to a data set that is there."""
    arrays = {
        "peg-features.npy": features,
        "peg-times.npy": BEGIN + 3_600 * np.arange(len(features), dtype=np.int64),
        "peg-pairs.npy": np.zeros(len(features), dtype=np.int32),
    }
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["pegs"] = {
        "featureVersion": 1,
        "dataHash": hashlib.sha256(features.tobytes()).hexdigest(),
        "rows": len(features),
        "features": [{"name": name, "unit": "1", "what": ""} for name in PEG_NAMES],
        "pairs": [{"name": "v3-usdc-usdt-1bp", "begin": 0, "end": len(features)}],
        "files": _written(folder, arrays),
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


@pytest.fixture(scope="session")
def pair():
    """Features [N, P] of one pair."""
    return _pair(np.random.default_rng(8))


@pytest.fixture(scope="session")
def priced(market, pair, tmp_path_factory):
    return write_pegs(write_dataset(tmp_path_factory.mktemp("priced") / "set", *market), pair)


@pytest.fixture(scope="session")
def prices(priced):
    from tillerml import pegs

    return pegs.load(priced)


@pytest.fixture(scope="session")
def market():
    """Features [N, F] and targets [N, 4] of two series."""
    rng = np.random.default_rng(7)
    parts = [_series(rng) for _ in range(2)]
    return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])


@pytest.fixture(scope="session")
def folder(market, tmp_path_factory):
    return write_dataset(tmp_path_factory.mktemp("dataset") / "set", *market)


@pytest.fixture(scope="session")
def rows(folder):
    from tillerml import dataset

    return dataset.usable(dataset.load(folder))
