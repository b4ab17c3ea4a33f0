"""Whether a model may take the place of the one in service.

It may where, on the frozen test set, its PR-AUC is the higher one (or both are equal, and its F1 is
the higher one), and its F1 of *escalate*, each model at its own threshold, is not shown to be
lower: the interval of the difference (paired bootstrap, `bot.learning.evaluating.comparing`) does
not lie below zero as a whole, or it finds more of the people who need us. One that says the same
of every post is the same model, and may.
"""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from bot.errors import Refused
from bot.frozen import frozen
from bot.learning.evaluating.comparing import Comparison, compared
from bot.learning.evaluating.evaluation import Said, said_of, truths_of
from bot.learning.evaluating.resampling import drawn
from bot.learning.labelled import Labelled, labelled
from bot.learning.metrics import Figures, Judged, figures
from bot.learning.publishing.artifacts import Artifact
from bot.verdicts import Classifier, line_of

_ALIKE: Final = 1e-5
"""What the name of a variant cannot hold moves no probability by more."""


@frozen
class TestSet:
    """The frozen test set; `digest` is the SHA-256 of its file."""

    __test__ = False  # no test of pytest's

    rows: Sequence[Labelled]
    digest: str


@frozen
class Trial:
    """Both models on the test set; nothing of the one in service where there is none.

    They are `alike` where they say the same of every post.
    """

    new: Figures
    old: Figures | None = None
    comparison: Comparison | None = None
    alike: bool = False

    @property
    def objection(self) -> str | None:
        """Why the new model does not beat the other; None where it does."""
        if self.old is None or self.comparison is None or self.alike:
            return None
        rank, verdicts = self.comparison.pr_auc, self.comparison.f1
        if rank is None or verdicts is None:
            return None
        if rank.value < 0 or (rank.value == 0 and verdicts.value <= 0):
            return (
                f"its PR-AUC is {self.new.pr_auc:.4f}, and {self.old.pr_auc:.4f} is that of the "
                "model in service"
            )
        # One that finds more people pays for it in cards: that is what its threshold is for.
        if verdicts.high < 0 and self.new.recall <= self.old.recall:
            return (
                f"its F1 is {self.new.f1:.4f}, and {self.old.f1:.4f} is that of the model in "
                f"service: {-verdicts.high:.4f} to {-verdicts.low:.4f} more, beyond chance"
            )
        return None


def learnt(artifact: Artifact, test: TestSet) -> str | None:
    """A sentence where the model's card says that it learnt from the test set itself."""
    data = artifact.description.card.get("data")
    files = data.get("files") if isinstance(data, Mapping) else None
    listed = files if isinstance(files, list) else []
    if test.digest not in [one.get("sha256") for one in listed if isinstance(one, Mapping)]:
        return None
    return "it learnt from the test set itself, so its figures say nothing"


def test_set(file: Path) -> TestSet:
    """The labelled posts of a file. Raises `Refused` where models cannot be compared on them."""
    rows = labelled([file])
    if len({row.escalate for row in rows}) != 2:  # noqa: PLR2004
        raise Refused(f"{file} needs posts of both labels: on one alone no models can be compared.")
    return TestSet(rows, hashlib.sha256(file.read_bytes()).hexdigest())


def tried(
    test: TestSet, new: Classifier, old: Classifier | None, threshold: float | None = None
) -> Trial:
    """Both models on the test set; `threshold` is for one in service that has none of its own.

    Raises what `Classifier.probabilities` raises.
    """
    truths, own = truths_of(test.rows), said_of(test.rows, new, None)

    def counted(said: Said) -> Figures:
        return figures(Judged(said.probabilities, truths), said.threshold)

    if old is None:
        return Trial(counted(own))
    line_of(old, None)  # asks an endpoint whether its model has a threshold of its own
    other = said_of(test.rows, old, threshold if old.threshold is None else None)
    comparison = compared(truths, own, other, drawn(truths, [own, other]))
    return Trial(counted(own), counted(other), comparison, _alike(own, other))


def _alike(one: Said, other: Said) -> bool:
    said = np.allclose(one.probabilities, other.probabilities, rtol=0, atol=_ALIKE)
    return said and abs(one.threshold - other.threshold) <= _ALIKE
