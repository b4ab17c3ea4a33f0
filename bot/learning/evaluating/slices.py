"""Shares with their intervals, of all posts and of those of one kind."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from bot.frozen import frozen
from bot.learning.labelled import Labelled

SURE: Final = 0.95
"""Of all intervals."""
LENGTHS: Final = ((0, 20), (21, 70), (71, 140), (141, 280), (281, None))
"""Characters, from and to; a post of X has 280 unless it was paid for."""
MOST_LANGUAGES: Final = 12
NO_LANGUAGE: Final = "not told"

Flags = NDArray[np.bool_]


@frozen
class Share:
    """`part` of `whole`, at least one, and between which shares the true one lies (Wilson)."""

    part: int
    whole: int
    low: float
    high: float

    @property
    def value(self) -> float:
        """The share, 0 to 1."""
        return self.part / self.whole


@frozen
class Slice:
    """Posts of one kind; `needing` a person. Shares are None where there is nothing to share."""

    name: str
    rows: int
    needing: int
    accuracy: Share | None
    recall: Share | None
    precision: Share | None
    f1: float


def share(part: int, whole: int) -> Share | None:
    """A share with its interval; None of nothing. Wilson, JASA 22 (1927), 209-212."""
    if not whole:
        return None
    low, high = binomtest(part, whole).proportion_ci(SURE, "wilson")
    return Share(part, whole, float(low), float(high))


def kinds(
    rows: Sequence[Labelled], truths: Flags, escalates: Flags
) -> dict[str, tuple[Slice, ...]]:
    """By length always, by language and hour where the file tells them of some posts."""
    found = {"length": _by_length(rows), "language": _by_language(rows), "hour": _by_hour(rows)}
    return {
        kind: tuple(slice_of(name, truths[own], escalates[own]) for name, own in named if own.any())
        for kind, named in found.items()
        if named
    }


def _by_length(rows: Sequence[Labelled]) -> list[tuple[str, Flags]]:
    lengths = np.fromiter((len(row.text) for row in rows), np.int64, len(rows))
    return [
        (f"{low} to {high}", (lengths >= low) & (lengths <= high))
        if high
        else (f"{low} and more", lengths >= low)
        for low, high in LENGTHS
    ]


def _by_language(rows: Sequence[Labelled]) -> list[tuple[str, Flags]]:
    """The most frequent languages; the rest together."""
    told = np.array([row.language or NO_LANGUAGE for row in rows], dtype=object)
    names, own, counts = np.unique(told, return_inverse=True, return_counts=True)
    if list(names) == [NO_LANGUAGE]:
        return []
    ranked = np.argsort(-counts, kind="stable")
    found = [(str(names[at]), own == at) for at in ranked[:MOST_LANGUAGES]]
    rest = np.isin(own, ranked[MOST_LANGUAGES:])
    return [*found, ("others", rest)]


def _by_hour(rows: Sequence[Labelled]) -> list[tuple[str, Flags]]:
    hours = np.fromiter((row.at.hour if row.at else -1 for row in rows), np.int64, len(rows))
    if (hours < 0).all():
        return []
    return [(f"{hour:02}", hours == hour) for hour in range(24)]


def slice_of(name: str, truths: Flags, escalates: Flags) -> Slice:
    """The figures of these posts, under that name."""
    hits, needing = int((truths & escalates).sum()), int(truths.sum())
    cards, rows = int(escalates.sum()), len(truths)
    return Slice(
        name=name,
        rows=rows,
        needing=needing,
        accuracy=share(int((truths == escalates).sum()), rows),
        recall=share(hits, needing),
        precision=share(hits, cards),
        f1=2 * hits / (needing + cards) if needing + cards else 0.0,
    )
