"""The mistakes a model was surest of: what it never saw, or labels that are wrong."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot.explanation import explained
from bot.frozen import frozen
from bot.learning.evaluating.costs import Numbers
from bot.learning.evaluating.evaluation import Said, truths_of
from bot.learning.labelled import Labelled
from bot.verdicts import Classifier, Weight, judge

MISTAKES: Final = 20
"""Each way."""


@frozen
class Mistake:
    """A post that was judged wrongly; `escalate` is what a person said."""

    text: str
    probability: float
    escalate: bool
    words: tuple[Weight, ...]


def mistakes(rows: Sequence[Labelled], said: Said, classifier: Classifier) -> list[Mistake]:
    """The mistakes it was surest of, missed people first, with the words that moved each.

    Raises what `Classifier.probabilities` raises.
    """
    truths = truths_of(rows)
    wrong = (truths != said.escalates) & said.known
    margin = np.abs(said.probabilities - said.threshold)
    worst = [
        text
        for side in (truths, ~truths)
        for text in _surest(rows, np.flatnonzero(wrong & side), margin)
    ]
    verdicts = judge([row.text for row in worst], classifier, said.threshold)
    return [
        Mistake(row.text, verdict.probability, row.escalate, verdict.words)
        for row, verdict in zip(worst, explained(verdicts, classifier), strict=True)
    ]


def _surest(rows: Sequence[Labelled], wrong: NDArray[np.int64], margin: Numbers) -> list[Labelled]:
    """A text that stands in the file several times comes once."""
    found: dict[str, Labelled] = {}
    for at in wrong[np.argsort(-margin[wrong], kind="stable")]:
        found.setdefault(rows[at].text, rows[at])
        if len(found) == MISTAKES:
            break
    return list(found.values())
