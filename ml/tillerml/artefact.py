"""A model as it is served: model.onnx, card.json, golden.json.gz in a folder; written whole, read back and checked.

Golden vectors: rows of input with what Python's onnxruntime gave for them. Another language must give the same to
1e-5 × max(1e-3, |value|).
"""

from __future__ import annotations

import gzip
import hashlib
import json
import subprocess
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray

from .dataset import Dataset

FORMAT = "tiller-model/1"
MOST_BYTES = 5 * 2**20
GOLDEN_ROWS = 256
TOLERANCE = 1e-5
LEAST_MAGNITUDE = 1e-3


class ArtefactRefused(Exception):
    """What was built may not be served."""


def run(model: bytes, inputs: dict[str, NDArray[np.float32]]) -> dict[str, NDArray[np.float32]]:
    """Outputs by name, of onnxruntime on one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, inputs), strict=True))


def write(folder: Path, model: onnx.ModelProto, card: dict, golden: dict[str, NDArray[np.float32]]) -> None:
    """Writes the three files. `golden`: inputs by name, the first axis are rows.

    Raises ArtefactRefused for a model of more than 5 MiB, and for outputs that are not finite.
    """
    content = model.SerializeToString()
    if len(content) > MOST_BYTES:
        raise ArtefactRefused(f"{folder.name}: {len(content)} bytes are more than {MOST_BYTES}")
    outputs = run(content, golden)
    for name, values in outputs.items():
        if not np.isfinite(values).all():
            raise ArtefactRefused(f"{folder.name}: {name} is not finite for a golden row")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(content)
    vectors = {
        "tolerance": {"relative": TOLERANCE, "leastMagnitude": LEAST_MAGNITUDE},
        "inputs": {name: _numbers(values) for name, values in golden.items()},
        "outputs": {name: _numbers(values) for name, values in outputs.items()},
    }
    # No time of day in the header: the same vectors are the same file.
    with (folder / "golden.json.gz").open("wb") as file, gzip.GzipFile("", "wb", 9, file, 0) as zipped:
        zipped.write(json.dumps(vectors, separators=(",", ":")).encode())
    whole = {"format": FORMAT, "sha256": hashlib.sha256(content).hexdigest(), **card}
    (folder / "card.json").write_text(json.dumps(whole, indent=2, allow_nan=False) + "\n")


def verify(folder: Path) -> None:
    """Raises ArtefactRefused where the files are not of each other, or golden vectors come out differently."""
    content = (folder / "model.onnx").read_bytes()
    card = json.loads((folder / "card.json").read_text())
    if card["sha256"] != hashlib.sha256(content).hexdigest():
        raise ArtefactRefused(f"{folder.name}: model.onnx is not the one that the card tells of")
    with gzip.open(folder / "golden.json.gz") as file:
        vectors = json.load(file)
    outputs = run(content, {name: _array(values) for name, values in vectors["inputs"].items()})
    for name, said in vectors["outputs"].items():
        expected = _array(said)
        allowed = TOLERANCE * np.maximum(LEAST_MAGNITUDE, np.abs(expected))
        if outputs[name].shape != expected.shape or not (np.abs(outputs[name] - expected) <= allowed).all():
            raise ArtefactRefused(f"{folder.name}: {name} of the golden vectors comes out differently")


def feature_stats(x: NDArray[np.float32], names: tuple[str, ...]) -> dict[str, dict[str, float | None]]:
    """Of the training rows [n, F], for drift: null where a feature was never known."""
    stats = {}
    for column, name in enumerate(names):
        values = x[:, column].astype(np.float64)
        known = values[np.isfinite(values)]
        if len(known) == 0:
            stats[name] = {"mean": None, "sd": None, "p01": None, "p50": None, "p99": None, "nanShare": 1.0}
            continue
        p01, p50, p99 = np.quantile(known, [0.01, 0.5, 0.99])
        numbers = {"mean": known.mean(), "sd": known.std(), "p01": p01, "p50": p50, "p99": p99}
        stats[name] = {key: _short(value) for key, value in numbers.items()}
        stats[name]["nanShare"] = _short(1 - len(known) / len(values))
    return stats


def features_of(dataset: Dataset) -> list[dict[str, str]]:
    """Names and units in the order of the input."""
    return [{"name": name, "unit": unit} for name, unit in zip(dataset.names, dataset.units, strict=True)]


def code_commit() -> str:
    """Commit of this code, with `-dirty` where files of it were changed since."""
    here = Path(__file__).parent

    def git(*args: str) -> str:
        return subprocess.run(["git", *args], cwd=here, capture_output=True, text=True, check=True).stdout.strip()

    try:
        return git("rev-parse", "HEAD") + ("-dirty" if git("status", "--porcelain", "--", ".") else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _short(value: float) -> float:
    return float(f"{value:.6g}")


def _numbers(values: NDArray[np.float32]) -> list:
    """Exact: the shortest text of the double that a float32 is; NaN is null."""
    nested = values.astype(np.float64).tolist()

    def clean(one: list | float) -> list | float | None:
        if isinstance(one, list):
            return [clean(item) for item in one]
        return one if one == one else None

    return clean(nested)  # type: ignore[return-value]


def _array(nested: list) -> NDArray[np.float32]:
    return np.array(nested, dtype=np.float64).astype(np.float32)
