"""What a threshold is to bring about, and the threshold that does."""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot.errors import Refused
from bot.frozen import frozen
from bot.learning.labelled import Labelled
from bot.learning.metrics import Judged

USUAL: Final = 0.5
MOST: Final = 1e6
"""What a miss may cost, or how many cards or posts a day there may be."""
_DAY: Final = timedelta(days=1)


@frozen
class Aim:
    """`threshold` finds it among calibrated judgements of unseen posts; `says` is for people."""

    says: str
    threshold: Callable[[Judged], float]


@frozen
class Lines:
    """Every line that can be drawn among judgements, from the highest down.

    At `thresholds[i]` there are `cards[i]` posts at or above it, `hits[i]` of them people who
    needed us.
    """

    thresholds: NDArray[np.float64]
    cards: NDArray[np.int64]
    hits: NDArray[np.int64]


def lines(judged: Judged) -> Lines:
    """All of them: above every post, between any two that differ, and below every post."""
    order = np.argsort(-judged.probabilities, kind="stable")
    ranked = judged.probabilities[order]
    ends = np.flatnonzero(np.diff(ranked)) + 1
    between = (ranked[ends - 1] + ranked[ends]) / 2
    cards = np.concatenate([[0], ends, [len(ranked)]]).astype(np.int64)
    hits = np.concatenate([[0], np.cumsum(judged.truths[order])])[cards]
    return Lines(np.concatenate([[1.0], between, [0.0]]), cards, hits.astype(np.int64))


def usual() -> Aim:
    """At 0.5, where nobody says what a miss costs."""
    return Aim("as many right verdicts as can be", lambda _: USUAL)


def cheapest(miss_costs: float) -> Aim:
    """As little cost as can be, where a missed person costs as much as so many needless cards."""
    if not 0 < miss_costs <= MOST:
        raise Refused(f"A miss costs more than nothing, and up to {MOST:,.0f}: not {miss_costs:g}.")

    def threshold(judged: Judged) -> float:
        drawn = lines(judged)
        misses, alarms = int(judged.truths.sum()) - drawn.hits, drawn.cards - drawn.hits
        return _rounded(drawn.thresholds[int(np.argmin(miss_costs * misses + alarms))])

    return Aim(f"least cost, a missed person costing {miss_costs:g} needless cards", threshold)


def reaching(recall: float) -> Aim:
    """At least that share of the people who need us, 0 to 1, and as few cards as can be."""
    if not 0 < recall <= 1:
        raise Refused(f"Recall is a share above 0 and up to 1, such as 0.95: not {recall:g}.")

    def threshold(judged: Judged) -> float:
        drawn = lines(judged)
        enough = drawn.hits >= recall * judged.truths.sum()
        return _rounded(drawn.thresholds[int(np.argmax(enough))])

    return Aim(f"{recall:.0%} of the people who need us", threshold)


def at_most(cards: float, posts: float) -> Aim:
    """At most so many cards, where so many posts come, and as many hits as can be."""
    if not (0 < cards <= MOST and 0 < posts <= MOST):
        raise Refused(f"Cards and posts a day are numbers above 0 and up to {MOST:,.0f}.")

    def threshold(judged: Judged) -> float:
        drawn = lines(judged)
        few = drawn.cards <= len(judged.truths) * cards / posts
        return _rounded(drawn.thresholds[int(np.flatnonzero(few)[-1])], up=True)

    return Aim(f"at most {cards:g} cards of {posts:g} posts a day", threshold)


def posts_a_day(rows: list[Labelled]) -> float:
    """How many posts a day these are. Raises `Refused` where they do not say when they came."""
    moments = [row.at for row in rows if row.at]
    days = (max(moments) - min(moments)) / _DAY if moments else 0.0
    if days < 1 or len(moments) < len(rows) / 2:
        raise Refused(
            "The data does not say how many posts come a day (created_at is missing or covers "
            "less than a day): say it with --posts-a-day."
        )
    return len(moments) / days


def _rounded(threshold: float, *, up: bool = False) -> float:
    """To four digits, and so that no post is lost by it, or none gained."""
    steps = np.ceil(threshold * 1e4) if up else np.floor(threshold * 1e4)
    return float(min(steps / 1e4, 1.0))
