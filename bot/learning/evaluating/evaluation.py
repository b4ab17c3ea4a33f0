"""How well a model judges labelled posts: as a whole, by kind of post, and over all thresholds.

A text without a word that the model knows escalates by rule, whatever the threshold. It is counted
so here; only calibration and the spread of scores leave it out, for the model gave it none.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from bot.errors import Refused
from bot.frozen import frozen
from bot.learning import metrics
from bot.learning.evaluating.costs import Costs, Numbers, costs
from bot.learning.evaluating.slices import Flags, Share, Slice, kinds, share, slice_of
from bot.learning.labelled import Labelled
from bot.learning.metrics import Figures, Judged
from bot.local.files import chunks
from bot.verdicts import Classifier, judge, line_of

AT_ONCE: Final = 500
"""Texts judged in one call."""
SCORE_BINS: Final = 20
Progress = Callable[[int], object]
"""Is told how many more texts were judged."""


@frozen
class Said:
    """What a model said of texts: for each a probability of *escalate*, and whether it knew it.

    The probability of one that it did not know is the threshold itself, as in `bot.verdicts`.
    """

    model: str
    threshold: float
    probabilities: Numbers
    known: Flags

    @property
    def escalates(self) -> Flags:
        """Which texts escalate at its threshold."""
        return self.probabilities >= self.threshold


@frozen
class Promise:
    """Posts of which the model said nearly the same: `said` on average, and what came `true`."""

    said: float
    true: Share


@frozen
class Spread:
    """How many posts lie in each of `SCORE_BINS` equal bins of probability."""

    needing: tuple[int, ...]
    others: tuple[int, ...]


@frozen
class Evaluation:
    """All figures of one model on labelled posts.

    `unknown` posts have no word that it knows, `unknown_needing` of them needed a person. `kinds`
    are the slices by what tells them apart.
    """

    model: str
    figures: Figures
    needing: int
    unknown: int
    unknown_needing: int
    accuracy: Share | None
    recall: Share | None
    precision: Share | None
    promises: tuple[Promise, ...]
    spread: Spread
    kinds: dict[str, tuple[Slice, ...]]
    costs: Costs


def said_of(
    rows: Sequence[Labelled],
    classifier: Classifier,
    threshold: float | None,
    progress: Progress = lambda _: None,
) -> Said:
    """What the classifier says of the texts, at that threshold or its own.

    Raises what `Classifier.probabilities` raises, and `Refused` where the model was replaced
    meanwhile.
    """
    probabilities, known = np.empty(len(rows)), np.empty(len(rows), dtype=np.bool_)
    line, at, models = line_of(classifier, threshold), 0, set[str]()
    for chunk in chunks((row.text for row in rows), AT_ONCE):
        verdicts = judge(chunk, classifier, line)
        models.update(verdict.model for verdict in verdicts)
        probabilities[at : at + len(chunk)] = [verdict.probability for verdict in verdicts]
        known[at : at + len(chunk)] = [verdict.known for verdict in verdicts]
        at += len(chunk)
        progress(len(chunk))
    if len(models) > 1:
        raise Refused(
            f"The model changed on the way ({', '.join(sorted(models))}): evaluate again."
        )
    return Said(classifier.model, line, probabilities, known)


def truths_of(rows: Sequence[Labelled]) -> Flags:
    """What people said of the posts."""
    return np.fromiter((row.escalate for row in rows), np.bool_, len(rows))


def evaluated(rows: Sequence[Labelled], said: Said, miss_costs: float) -> Evaluation:
    """All figures of what a model said of the posts, of which there must be at least one."""
    truths = truths_of(rows)
    counted = metrics.figures(Judged(said.probabilities, truths), said.threshold)
    known = Judged(said.probabilities[said.known], truths[said.known])
    error = metrics.calibration_error(known) if said.known.any() else 0.0
    whole = slice_of("all", truths, said.escalates)
    return Evaluation(
        model=said.model,
        figures=replace(counted, calibration_error=error),
        needing=int(truths.sum()),
        unknown=int((~said.known).sum()),
        unknown_needing=int(truths[~said.known].sum()),
        accuracy=whole.accuracy,
        recall=whole.recall,
        precision=whole.precision,
        promises=_promises(known),
        spread=_spread(known),
        kinds=kinds(rows, truths, said.escalates),
        costs=costs(truths, said.probabilities, said.known, said.threshold, miss_costs),
    )


def _promises(known: Judged) -> tuple[Promise, ...]:
    at, found = metrics.bins(known.probabilities), []
    for number in range(metrics.BINS):
        own = at == number
        true = share(int(known.truths[own].sum()), int(own.sum()))
        if true:
            found.append(Promise(float(known.probabilities[own].mean()), true))
    return tuple(found)


def _spread(known: Judged) -> Spread:
    def counted(probabilities: Numbers) -> tuple[int, ...]:
        counts, _ = np.histogram(probabilities, SCORE_BINS, (0, 1))
        return tuple(counts.tolist())

    return Spread(
        counted(known.probabilities[known.truths]), counted(known.probabilities[~known.truths])
    )
