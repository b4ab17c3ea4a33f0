"""The bootstrap: how much figures would wander on other posts of the same kind.

Efron and Tibshirani, "An Introduction to the Bootstrap" (1993), chapter 13, "Confidence intervals
based on bootstrap percentiles". All models are drawn the same posts, so their differences are
paired.
"""

from collections.abc import Sequence
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from bot.frozen import frozen
from bot.learning.evaluating.costs import Numbers
from bot.learning.evaluating.evaluation import Said
from bot.learning.evaluating.slices import SURE, Flags

SEED: Final = 0
MOST_DRAWS: Final = 1_000
FEWEST_DRAWS: Final = 200
_BUDGET: Final = 20_000_000
"""Posts over all draws, so that half a million rows take seconds."""


@frozen
class Between:
    """A figure, and from where to where it lies with 95 % certainty."""

    value: float
    low: float
    high: float


@frozen
class Drawn:
    """F1 and PR-AUC of each model: on all posts, and in each draw (a row for each)."""

    seed: int
    draws: int
    f1: Numbers
    pr_auc: Numbers
    f1_drawn: Numbers
    pr_auc_drawn: Numbers


def drawn(truths: Flags, models: Sequence[Said], seed: int = SEED) -> Drawn | None:
    """Both figures of the models in each draw; None where people said one side only."""
    if truths.all() or not truths.any():
        return None
    rows = len(truths)
    draws = min(MOST_DRAWS, max(FEWEST_DRAWS, _BUDGET // rows))
    ranked = [_Ranked.of(truths, said) for said in models]
    chance = np.random.default_rng(seed)
    f1, pr_auc = np.empty((draws, len(models))), np.empty((draws, len(models)))
    for draw in range(draws):
        weights = np.bincount(chance.integers(0, rows, rows), minlength=rows).astype(np.float64)
        f1[draw] = [one.f1(weights) for one in ranked]
        pr_auc[draw] = [one.pr_auc(weights) for one in ranked]
    once = np.ones(rows)
    return Drawn(
        seed,
        draws,
        np.array([one.f1(once) for one in ranked]),
        np.array([one.pr_auc(once) for one in ranked]),
        f1,
        pr_auc,
    )


def between(value: float, draws: Numbers, sure: float = SURE) -> Between:
    """The figure and its percentile interval, which holds it so surely."""
    low, high = np.quantile(draws, [(1 - sure) / 2, (1 + sure) / 2])
    return Between(float(value), float(low), float(high))


@frozen
class _Ranked:
    """Posts from the most to the least probable; `ends` close runs of equal probability."""

    order: NDArray[np.int64]
    ends: NDArray[np.int64]
    needing: Numbers
    hits: Numbers
    named: Numbers

    @classmethod
    def of(cls, truths: Flags, said: Said) -> Self:
        order = np.argsort(-said.probabilities, kind="stable")
        ranked = said.probabilities[order]
        ends = np.append(np.flatnonzero(np.diff(ranked)), len(ranked) - 1)
        named = truths.astype(np.float64) + said.escalates
        hits = (truths & said.escalates).astype(np.float64)
        return cls(order, ends, truths[order].astype(np.float64), hits, named)

    def f1(self, weights: Numbers) -> float:
        # Sums of products: BLAS would wake all cores for each, and wait for them.
        named = float((weights * self.named).sum())
        return 2 * float((weights * self.hits).sum()) / named if named else 0.0

    def pr_auc(self, weights: Numbers) -> float:
        """Average precision, as `sklearn.metrics.average_precision_score` defines it."""
        own = weights[self.order]
        seen, hits = np.cumsum(own)[self.ends], np.cumsum(own * self.needing)[self.ends]
        precision = np.divide(hits, seen, out=np.zeros_like(hits), where=seen > 0)
        gained = np.diff(hits, prepend=0.0)
        return float((gained * precision).sum() / hits[-1]) if hits[-1] else 0.0
