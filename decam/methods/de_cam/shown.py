"""What the model was last asked about each individual of a population."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from decam.evolution.trace import Asked


@dataclass
class Shown:
    """What each individual (N) was last asked: S shares and the answers to them."""

    shares: Tensor
    answers: Tensor
    keeps: tuple[bool, ...]

    @classmethod
    def none(cls, individuals: int, keeps: tuple[bool, ...]) -> Shown:
        """Nothing yet."""
        return cls(torch.zeros(individuals, len(keeps)), torch.zeros(individuals, len(keeps)), keeps)

    def replace(self, accepted: Tensor, shares: tuple[float, ...], answers: Tensor) -> None:
        """Trials (N) that were accepted take their places, with what was asked of all trials."""
        self.answers = torch.where(accepted.unsqueeze(1), answers, self.answers)
        self.shares = torch.where(accepted.unsqueeze(1), torch.tensor(shares), self.shares)

    def of(self, individual: int) -> tuple[Asked, ...]:
        """What one individual was asked."""
        rows = zip(self.keeps, self.shares[individual].tolist(), self.answers[individual].tolist(), strict=True)
        return tuple(Asked(keeps, share, answer) for keeps, share, answer in rows)
