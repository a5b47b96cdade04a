"""The matrices that `tiller dataset` wrote, checked, and the rows of them that may be trained on and scored.

Knows nothing of models. Rates and targets are fractions a year, times unix seconds.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

FORMAT = "tiller-dataset/1"
HOUR = 3_600
#: Below it a reserve is in its first weeks or wound down: rates jump with single deposits.
LEAST_SUPPLIED_USD = 1e7
#: A row is fresh when its state is of the hour that ended: hours without events repeat a state and are not scored.
FRESH_HOURS = 1.0
#: Assets that are meant to be worth a dollar.
DOLLARS = frozenset(
    "busd crvusd dai fei frax gusd lusd pax pyusd susd tusd usdc usde usdt ust".split(),
)
SCORED_VENUES = ("aave-v2-", "aave-v3-", "compound-v3-")


class DatasetRefused(Exception):
    """The data set is not one, or is not what its manifest says."""


@dataclass(frozen=True)
class Series:
    """One series; `begin` and `end` are its rows in the matrices, end excluded."""

    name: str
    asset: str
    begin: int
    end: int

    @property
    def scored(self) -> bool:
        """Whether the marks of the project are about this series: dollars on Aave V2, V3 and Compound V3."""
        return self.asset in DOLLARS and self.name.startswith(SCORED_VENUES)


@dataclass(frozen=True)
class Matrices:
    """Matrices as they lie on disk: features [N, F] float64, times [N], series_of [N]."""

    features: NDArray[np.float64]
    times: NDArray[np.int64]
    series_of: NDArray[np.int32]
    series: tuple[Series, ...]
    names: tuple[str, ...]
    units: tuple[str, ...]
    feature_version: int
    data_hash: str

    def column(self, name: str) -> int:
        """Place of the feature in a row."""
        return self.names.index(name)


@dataclass(frozen=True)
class Dataset(Matrices):
    """Those of rates, with targets [N, H] float64."""

    targets: NDArray[np.float64]
    horizons: tuple[int, ...]


@dataclass(frozen=True)
class Hours:
    """Rows that may be used, in the order of the matrices: by series, then by time.

    x [n, F] float32 as models see it; index [n]: row in the matrices; fresh [n]: the state is of the hour that ended.
    """

    x: NDArray[np.float32]
    times: NDArray[np.int64]
    series_of: NDArray[np.int32]
    index: NDArray[np.int64]
    fresh: NDArray[np.bool_]
    of: Matrices

    def column(self, name: str) -> NDArray[np.float32]:
        return self.x[:, self.of.column(name)]


@dataclass(frozen=True)
class Rows(Hours):
    """Those of rates: y [n, H], apr [n] and ewma [n] float64."""

    y: NDArray[np.float64]
    apr: NDArray[np.float64]
    ewma: NDArray[np.float64]
    scored: NDArray[np.bool_]
    of: Dataset

    def scoreable(self, horizon: int) -> NDArray[np.bool_]:
        """[n]: fresh, of a scored series, and the target over that horizon (its place in `horizons`) is known."""
        return self.fresh & self.scored & np.isfinite(self.y[:, horizon])


def load(folder: Path | str) -> Dataset:
    """Maps a data set. Raises DatasetRefused for another format, and for a file that is not what the manifest says."""
    folder = Path(folder)
    manifest = manifest_of(folder)
    arrays = arrays_of(folder, manifest)
    return Dataset(
        features=arrays["features.npy"],
        targets=arrays["targets.npy"],
        times=arrays["times.npy"],
        series_of=arrays["series.npy"],
        series=tuple(Series(s["name"], s["asset"], s["begin"], s["end"]) for s in manifest["series"]),
        horizons=tuple(t["horizonHours"] for t in manifest["targets"]),
        **features_of(manifest),
    )


def manifest_of(folder: Path) -> dict:
    """As it was written. Raises DatasetRefused for another format."""
    try:
        manifest = json.loads((folder / "manifest.json").read_text())
    except (OSError, ValueError) as error:
        raise DatasetRefused(f"{folder} holds no manifest.json: write it with tiller dataset --out") from error
    if manifest.get("format") != FORMAT:
        raise DatasetRefused(f"{folder} is of format {manifest.get('format')}, not {FORMAT}")
    return manifest


def arrays_of(folder: Path, said: dict) -> dict[str, NDArray]:
    """The files of a manifest or of a part of it, by name, mapped. Raises DatasetRefused where one is not as said."""
    return {name: _checked(folder / name, one) for name, one in said["files"].items()}


def features_of(said: dict) -> dict:
    """What a manifest, or a part of it, says of its features and data, as fields of `Matrices`."""
    return {
        "names": tuple(f["name"] for f in said["features"]),
        "units": tuple(f["unit"] for f in said["features"]),
        "feature_version": said["featureVersion"],
        "data_hash": said["dataHash"],
    }


def _checked(file: Path, said: dict) -> NDArray:
    with file.open("rb") as opened:
        if hashlib.file_digest(opened, "sha256").hexdigest() != said["sha256"]:
            raise DatasetRefused(f"{file} is not the file that the manifest tells of: write the data set anew")
    array = np.load(file, mmap_mode="r", allow_pickle=False)
    if list(array.shape) != said["shape"] or array.dtype.str != said["dtype"]:
        raise DatasetRefused(f"{file} has another shape than the manifest tells of")
    return array


def usable(dataset: Dataset) -> Rows:
    """Rows of reserves of more than 1e7 USD whose next hour and whose rate now are known."""
    supplied = np.asarray(dataset.features[:, dataset.column("supplied")])
    with np.errstate(invalid="ignore"):
        keep = supplied > np.log(LEAST_SUPPLIED_USD)
    keep &= np.isfinite(dataset.targets[:, 0]) & np.isfinite(dataset.features[:, dataset.column("apr")])
    index = np.flatnonzero(keep)
    x = np.asarray(dataset.features[index], dtype=np.float32)
    series_of = np.asarray(dataset.series_of[index])
    scored = np.array([one.scored for one in dataset.series])
    return Rows(
        x=x,
        y=np.asarray(dataset.targets[index]),
        apr=np.asarray(dataset.features[index, dataset.column("apr")]),
        ewma=np.asarray(dataset.features[index, dataset.column("ewma_24h")]),
        times=np.asarray(dataset.times[index]),
        series_of=series_of,
        index=index,
        fresh=x[:, dataset.column("age")] < FRESH_HOURS,
        scored=scored[series_of],
        of=dataset,
    )
