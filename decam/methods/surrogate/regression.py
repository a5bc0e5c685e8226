"""The weighted linear regression behind LIME and KernelSHAP."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader


class WeightedRegression:
    """What Captum's Lime and KernelShap ask of an interpretable model, without scikit-learn.

    Weighted least squares with an intercept that is not penalised; `ridge` is added to the squares of the
    coefficients (Ribeiro et al. 2016 use 1, Lundberg and Lee 2017 in their theorem 2 none).
    """

    def __init__(self, ridge: float = 0.0) -> None:
        self._ridge = ridge
        self._coefficients = torch.empty(0)

    def fit(self, train_data: Iterable[tuple[Tensor, Tensor, Tensor]]) -> None:
        """Fit to batches of inputs (N×D), outputs (N) and weights (N)."""
        if isinstance(train_data, DataLoader):
            # A loader draws a number as it begins, used or not, from the process's generator if it has none.
            train_data.generator = torch.Generator()
        inputs, outputs, weights = (torch.cat(parts).cpu().double().numpy() for parts in zip(*train_data, strict=True))
        root = np.sqrt(weights)
        design = np.column_stack([inputs, np.ones(len(inputs))]) * root[:, None]
        penalty = np.sqrt(self._ridge) * np.eye(inputs.shape[1], inputs.shape[1] + 1)
        wanted = np.concatenate([outputs * root, np.zeros(len(penalty))])
        solved = np.linalg.lstsq(np.concatenate([design, penalty]), wanted, rcond=None)[0]
        self._coefficients = torch.from_numpy(solved[:-1].astype(np.float32)).unsqueeze(0)

    def representation(self) -> Tensor:
        """The coefficients, 1×D, without the intercept."""
        return self._coefficients
