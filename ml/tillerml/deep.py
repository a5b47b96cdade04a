"""The sequence models of the comparison: a two-layer bidirectional LSTM and a patch transformer, in PyTorch.

What they see and learn is made by `sequences.py`; both forecast the deviation from the anchor for all horizons at once.
Needs requirements-deep.txt; a GPU is used when there is one.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from . import folds, guards, trees
from .baselines import Chosen
from .dataset import Rows
from .refit import THIN
from .sequences import CHANNELS, STEPS, Scalers, level, targets

HIDDEN = 32
BATCH = 512
EPOCHS = 5
#: A fold goes on from the network of the fold before it, which saw a part of the same past.
EPOCHS_ON = 2
RATE = 2e-3
#: Of the rows that trees train on, every second: neighbours share windows as well as targets.
THIN_DEEP = 2 * THIN


class BiLstm(nn.Module):
    """[n, T, C] windows and [n, F] rows → [n, H]."""

    def __init__(self, channels: int, features: int, horizons: int) -> None:
        super().__init__()
        self.encoder = nn.LSTM(channels, HIDDEN, 2, batch_first=True, bidirectional=True)
        self.head = _head(2 * HIDDEN + features, horizons)

    def forward(self, window: Tensor, row: Tensor) -> Tensor:
        _, (hidden, _) = self.encoder(window)
        return self.head(torch.cat([hidden[-2], hidden[-1], row], dim=1))


class PatchTransformer(nn.Module):
    """Days as patches, as in PatchTST (Nie et al., arXiv 2211.14730): [n, T, C] windows and [n, F] rows → [n, H]."""

    PATCH = 6
    WIDTH = 48

    def __init__(self, channels: int, features: int, horizons: int) -> None:
        super().__init__()
        self.embed = nn.Linear(self.PATCH * channels, self.WIDTH)
        self.place = nn.Parameter(torch.zeros(1, STEPS // self.PATCH, self.WIDTH))
        layer = nn.TransformerEncoderLayer(
            self.WIDTH, 4, 2 * self.WIDTH, dropout=0.1, batch_first=True, norm_first=True
        )
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = _head(self.WIDTH + features, horizons)

    def forward(self, window: Tensor, row: Tensor) -> Tensor:
        patches = window.reshape(len(window), STEPS // self.PATCH, -1)
        return self.head(torch.cat([self.encoder(self.embed(patches) + self.place).mean(dim=1), row], dim=1))


def _head(width: int, horizons: int) -> nn.Module:
    last = nn.Linear(64, horizons)
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)
    return nn.Sequential(nn.Linear(width, 64), nn.GELU(), nn.Dropout(0.1), last)


@dataclass
class Learner:
    """One network that is trained on from fold to fold. Called with a fold, it gives forecasts [k] of each horizon."""

    network: Callable[[int, int, int], nn.Module]
    seed: int = trees.SEED
    trained: nn.Module | None = None

    def __call__(self, rows: Rows, fold: folds.Fold) -> list[NDArray[np.float64]]:
        torch.manual_seed(self.seed)
        device = "cuda" if torch.cuda.is_available() else "cpu"
        longest = len(rows.of.horizons) - 1
        # One network for all horizons: its rows are those whose longest target had ended.
        k = folds.training_rows(rows, longest, fold.test_from, THIN_DEEP)
        guards.refuse_overlap(rows.times[k], rows.of.horizons[longest], fold.test_from)
        scalers = Scalers.fitted(rows, k)
        epochs = EPOCHS_ON
        if self.trained is None:
            epochs = EPOCHS
            self.trained = self.network(len(CHANNELS), rows.x.shape[1], len(rows.of.horizons)).to(device)
        inputs, learnt = _tensors(scalers.inputs(rows, k), device), _tensors(targets(rows, k), device)
        train(self.trained, inputs, *learnt, epochs=epochs)
        return [
            trees.anchor(rows, horizon, test) + _predict(self.trained, rows, test, scalers, device)[:, horizon]
            for horizon in range(len(rows.of.horizons))
            for test in [folds.test_rows(rows, horizon, fold)]
        ]


def train(network: nn.Module, inputs: tuple[Tensor, Tensor], target: Tensor, weight: Tensor, *, epochs: int) -> None:
    """Least weighted absolute error: target and weight [n, H], NaN in neither."""
    many = len(target)
    steps = epochs * math.ceil(many / BATCH)
    optimiser = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps)
    network.train()
    for _ in range(epochs):
        for batch in torch.randperm(many, device=target.device).split(BATCH):
            optimiser.zero_grad()
            said = network(*(part[batch] for part in inputs))
            ((said - target[batch]).abs() * weight[batch]).mean().backward()
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            schedule.step()


def _tensors(arrays: tuple[NDArray[np.float64], ...], device: str) -> tuple[Tensor, ...]:
    return tuple(torch.tensor(one, dtype=torch.float32, device=device) for one in arrays)


def _predict(network: nn.Module, rows: Rows, k: Chosen, scalers: Scalers, device: str) -> NDArray[np.float64]:
    """[k, H] deviations from the anchor, fractions a year."""
    network.eval()
    said = []
    with torch.no_grad():
        for part in np.array_split(k, max(1, len(k) // 4_096)):
            found = network(*_tensors(scalers.inputs(rows, part), device)).cpu().numpy()
            said.append(found * level(rows, part))
    return np.concatenate(said)


def learners() -> dict[str, Learner]:
    """By the name that they have in the tables."""
    return {"LSTM": Learner(BiLstm), "patch transformer": Learner(PatchTransformer)}
