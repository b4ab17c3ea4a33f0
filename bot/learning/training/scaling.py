"""Calibration: slope and offset that make a model's probabilities keep their word."""

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from bot.learning.metrics import Judged

Scaling = tuple[float, float]
"""Slope and offset over the log-odds (`bot.classifier.calibration`)."""

_CERTAIN = 1e-6


def platt(judged: Judged) -> Scaling:
    """The slope and offset that fit what models said of unseen texts to what people said.

    Targets are drawn in a little, as in Platt's "Probabilistic Outputs for Support Vector
    Machines" (1999), section 2.2, so that separable data gives no endless slope.
    """
    yes = int(judged.truths.sum())
    no = len(judged.truths) - yes
    target = np.where(judged.truths, (yes + 1) / (yes + 2), 1 / (no + 2))
    points = _log_odds(judged.probabilities).reshape(-1, 1)
    fitted = LogisticRegression(C=np.inf, tol=1e-8, max_iter=1000).fit(
        np.concatenate([points, points]),
        np.repeat([True, False], len(points)),
        sample_weight=np.concatenate([target, 1 - target]),
    )
    return round(float(fitted.coef_[0, 0]), 6), round(float(fitted.intercept_[0]), 6)


def scaled(judged: Judged, scaling: Scaling) -> Judged:
    """The same after calibration; for many at once what `calibrated` is for one."""
    slope, offset = scaling
    line = slope * _log_odds(judged.probabilities) + offset
    return Judged(1 / (1 + np.exp(-line)), judged.truths)


def _log_odds(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    certain = np.clip(probabilities, _CERTAIN, 1 - _CERTAIN)
    return np.log(certain / (1 - certain))
