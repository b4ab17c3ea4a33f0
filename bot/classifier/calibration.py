"""Platt scaling: what a model's own probabilities become, embedded and behind an endpoint alike.

John Platt, "Probabilistic Outputs for Support Vector Machines" (1999), section 2.
"""

import math
from typing import Final

_CERTAIN: Final = 1e-6


def calibrated(probability: float, slope: float, offset: float) -> float:
    """Platt scaling: the logistic function of a line over the log-odds."""
    certain = min(max(probability, _CERTAIN), 1 - _CERTAIN)
    log_odds = math.log(certain / (1 - certain))
    return logistic(slope * log_odds + offset)


def logistic(x: float) -> float:
    """1 / (1 + e^-x), without the overflow far from zero."""
    return 1 / (1 + math.exp(-x)) if x > 0 else math.exp(x) / (1 + math.exp(x))
