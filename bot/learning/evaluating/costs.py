"""What each threshold would bring: cards, missed people, and what both cost together."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot.frozen import frozen
from bot.learning.evaluating.slices import Flags

NEARLY: Final = 1.02
"""Thresholds that cost no more than this times the cheapest are as good as it."""
PER: Final = 1_000
"""Posts, of which costs tell."""

Numbers = NDArray[np.float64]


@frozen
class Cost:
    """What a threshold brings, per 1,000 posts; `cost` counts in needless cards."""

    threshold: float
    cards: float
    needless: float
    missed: float
    cost: float


@frozen
class Costs:
    """The thresholds 0 to 1, where a missed person costs `miss_costs` needless cards.

    From the first to the second of `near` all cost nearly as little as the cheapest.
    """

    miss_costs: float
    points: tuple[Cost, ...]
    now: Cost
    cheapest: Cost
    near: tuple[float, float]


def costs(
    truths: Flags, probabilities: Numbers, known: Flags, threshold: float, miss_costs: float
) -> Costs:
    """What each threshold brings, in steps of a hundredth; `threshold` is in force."""
    grid = np.arange(101) / 100

    def costed(thresholds: Numbers) -> list[Cost]:
        hits, alarms = (
            _reached(probabilities[known & side], thresholds) + (~known & side).sum()
            for side in (truths, ~truths)
        )
        per, missed = PER / len(truths), truths.sum() - hits
        columns = (hits + alarms, alarms, missed, alarms + miss_costs * missed)
        figures = np.column_stack([column * per for column in columns]).tolist()
        return [Cost(at, *row) for at, row in zip(thresholds.tolist(), figures, strict=True)]

    points, (now,) = costed(grid), costed(np.array([threshold]))
    cheapest = min(points, key=lambda point: (point.cost, abs(point.threshold - threshold)))
    return Costs(miss_costs, tuple(points), now, cheapest, _near(points, cheapest))


def _reached(probabilities: Numbers, thresholds: Numbers) -> NDArray[np.int64]:
    """How many of the probabilities are at or above each threshold."""
    ranked = np.sort(probabilities)
    return len(ranked) - np.searchsorted(ranked, thresholds, "left")


def _near(points: Sequence[Cost], cheapest: Cost) -> tuple[float, float]:
    good = [point.cost <= cheapest.cost * NEARLY for point in points]
    first = last = points.index(cheapest)
    while first and good[first - 1]:
        first -= 1
    while last + 1 < len(good) and good[last + 1]:
        last += 1
    return points[first].threshold, points[last].threshold
